import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type AgentClient, ClientError, type SubmitOptions } from '../../../../lib/client/client.ts'
import { createDrafts } from '../../../../runtime/console/run/drafts.ts'
import { isLost, submitDraft } from '../../../../runtime/console/run/submit.ts'

/** A client whose answers are lost, or that refuses; and the keys that it was given. */
const createClient = (details: ConstructorParameters<typeof ClientError>[2], word = 'unreachable') => {
  const keys: (string | undefined)[] = []
  const submit = async (_request: unknown, { idempotencyKey }: SubmitOptions = {}) => {
    keys.push(idempotencyKey)
    return { ok: false, error: new ClientError(word, 'why', details) } as const
  }
  return { keys, session: { client: { submit } as unknown as AgentClient } }
}

const draftOf = (cmd: string) => {
  const draft = createDrafts().of(undefined)
  draft.form.value = { ...draft.form.value, cmd }
  return draft
}

test('the same again after a lost answer has the same key, so that it runs once', async () => {
  const { keys, session } = createClient({ mayBeDone: true })
  const draft = draftOf('true')
  await submitDraft(session, draft)
  await submitDraft(session, draft)
  assert.equal(keys[0], keys[1])
})

test('the same again after it was withdrawn has the same key, and may have been run', async () => {
  const { keys, session } = createClient({}, 'aborted')
  const draft = draftOf('true')
  assert.equal(isLost(draft), false)
  await submitDraft(session, draft)
  assert.equal(isLost(draft), true)
  await submitDraft(session, draft)
  assert.equal(keys[0], keys[1])
  draft.form.value = { ...draft.form.value, cmd: 'false' }
  assert.equal(isLost(draft), false)
})

test('another request after a lost answer has a key of its own', async () => {
  const { keys, session } = createClient({ mayBeDone: true })
  const draft = draftOf('true')
  await submitDraft(session, draft)
  draft.form.value = { ...draft.form.value, cmd: 'false' }
  await submitDraft(session, draft)
  assert.notEqual(keys[0], keys[1])
})

test('the same again after a refusal has a key of its own', async () => {
  const { keys, session } = createClient({ status: 400 })
  const draft = draftOf('true')
  await submitDraft(session, draft)
  await submitDraft(session, draft)
  assert.notEqual(keys[0], keys[1])
})

test('the same again after it has run has a key of its own: it is to be run once more', async () => {
  const lost = createClient({ mayBeDone: true })
  const draft = draftOf('true')
  await submitDraft(lost.session, draft)
  const keys: (string | undefined)[] = []
  const submit = async (_request: unknown, { idempotencyKey }: SubmitOptions = {}) => {
    keys.push(idempotencyKey)
    return { ok: true, value: { id: 'a' } }
  }
  const session = { client: { submit } as unknown as AgentClient }
  await submitDraft(session, draft)
  await submitDraft(session, draft)
  assert.equal(keys[0], lost.keys[0])
  assert.notEqual(keys[1], keys[0])
})

test('a draft is kept for each job that is to be run again, and one for none', () => {
  const drafts = createDrafts()
  drafts.of('a').form.value = { ...drafts.of('a').form.value, cmd: 'one' }
  assert.equal(drafts.of('a').form.value.cmd, 'one')
  assert.equal(drafts.of(undefined).form.value.cmd, '')
})
