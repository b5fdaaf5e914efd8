import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { clockAhead } from '../../../../runtime/console/agent-clock.ts'
import { createSignIn } from '../../../../runtime/console/sign-in/create-sign-in.ts'
import { waitFor } from '../../../support/wait-for.ts'

const AGENT = {
  version: '1.0.0',
  running: 0,
  limit: 5,
  stopping: false,
  draining: false,
  caller: { id: 'alice', rights: ['read'] },
}
const good = (headers: Record<string, string> = {}) =>
  Response.json({ code: 0, success: true, msg: '', data: AGENT }, { headers })
const refused = (status: number, error: string) =>
  Response.json({ code: status, success: false, error, msg: `it is ${error}` }, { status })

const SECRET = { secret: 'the-secret', signature: 'contract' } as const
const KEPT = JSON.stringify({ credentials: SECRET })

/** A tab in which this was kept, of an agent that gives these answers, one after the other. */
const openTab = (t: TestContext, { kept, answers = [] }: { kept?: string; answers?: Response[] }) => {
  const entries = new Map(kept === undefined ? [] : [['newdt-credentials /agents/db1/', kept]])
  const had = { sessionStorage: globalThis.sessionStorage, location: globalThis.location }
  Object.assign(globalThis, {
    location: new URL('http://localhost:8080/agents/db1/#/jobs'),
    sessionStorage: {
      getItem: (name: string) => entries.get(name) ?? null,
      setItem: (name: string, value: string) => void entries.set(name, value),
      removeItem: (name: string) => void entries.delete(name),
    },
  })
  t.after(() => Object.assign(globalThis, had))
  const asked: string[] = []
  t.mock.method(globalThis, 'fetch', async (url: string) => {
    asked.push(url)
    return answers.shift() ?? assert.fail('nothing is asked')
  })
  return { asked, entries, signIn: createSignIn() }
}

test('what was kept for the tab signs in again, and is tried for as long as one is told so', async t => {
  const { asked, entries, signIn } = openTab(t, { kept: KEPT, answers: [good()] })
  const returned = signIn.signInAgain()
  assert.equal(signIn.again.value.isGoingOn, true)
  await returned
  assert.equal(signIn.again.value.isGoingOn, false)
  assert.deepEqual(signIn.session.value?.agent.value.caller, AGENT.caller)
  assert.deepEqual(asked, ['http://localhost:8080/agents/db1/api/agent'])
  assert.deepEqual([...entries.values()], [KEPT])
})

test('what the agent does not take any more is not kept, and one is told why', async t => {
  const { entries, signIn } = openTab(t, { kept: KEPT, answers: [refused(401, 'bad-signature')] })
  await signIn.signInAgain()
  assert.deepEqual([signIn.session.value, entries.size], [undefined, 0])
  assert.equal(signIn.again.value.error?.message, 'it is bad-signature')
})

test('what was kept stays where the agent has not judged it', async t => {
  const { entries, signIn } = openTab(t, { kept: KEPT, answers: [refused(500, 'internal')] })
  await signIn.signInAgain()
  assert.deepEqual([signIn.session.value, [...entries.values()]], [undefined, [KEPT]])
  assert.notEqual(signIn.again.value.error, undefined)
})

test('an entry that the console has not written is removed, and asks for nothing', async t => {
  for (const kept of ['{', '', '"x"', '7', 'null', '{"credentials":{"secret":""}}']) {
    const { asked, entries, signIn } = openTab(t, { kept })
    await signIn.signInAgain()
    assert.deepEqual([signIn.session.value, signIn.again.value.isGoingOn], [undefined, false], kept)
    assert.deepEqual([entries.size, asked], [0, []], kept)
  }
})

test('an agent that cannot be reached is tried on, until that is given up', async t => {
  const { entries, signIn } = openTab(t, { kept: KEPT })
  t.mock.method(globalThis, 'fetch', async () => {
    throw new TypeError('fetch failed')
  })
  const returned = signIn.signInAgain()
  await waitFor('it is told', () => signIn.again.value.error)
  assert.equal(signIn.again.value.isGoingOn, true)
  signIn.giveUp()
  await returned
  assert.deepEqual([signIn.again.value, [...entries.values()]], [{ isGoingOn: false }, [KEPT]])
})

test('what was kept of another agent at the same origin is neither used nor removed', async t => {
  const { asked, entries, signIn } = openTab(t, { answers: [good()] })
  entries.set('newdt-credentials /agents/db2/', KEPT)
  await signIn.signInAgain()
  assert.deepEqual(asked, [])
  await signIn.signIn(SECRET, { remember: false })
  signIn.signOut()
  assert.deepEqual([...entries.keys()], ['newdt-credentials /agents/db2/'])
})

test('where nothing was kept nothing is tried', async t => {
  const { asked, signIn } = openTab(t, {})
  const returned = signIn.signInAgain()
  assert.equal(signIn.again.value.isGoingOn, false)
  await returned
  assert.deepEqual([signIn.session.value, asked], [undefined, []])
})

test('credentials are kept for who asks for it alone, and gone when one signs out', async t => {
  const { entries, signIn } = openTab(t, { answers: [good(), good(), good(), good()] })
  assert.equal(await signIn.signIn(SECRET, { remember: false }), undefined)
  assert.equal(entries.size, 0)
  assert.equal(await signIn.signIn(SECRET, { remember: true }), undefined)
  assert.deepEqual([...entries.values()], [KEPT])
  // The certificate of the browser.
  assert.equal(await signIn.signIn(undefined, { remember: true }), undefined)
  assert.deepEqual([...entries.values()], ['{}'])
  // Who has signed in last is not who was kept.
  assert.equal(await signIn.signIn(SECRET, { remember: false }), undefined)
  assert.equal(entries.size, 0)
  signIn.signOut()
  assert.deepEqual([signIn.session.value, entries.size], [undefined, 0])
})

test('the clock of an agent is forgotten when one signs out', async t => {
  const date = new Date(Date.now() + 3_600_000).toUTCString()
  const { signIn } = openTab(t, { answers: [good(), good({ date })] })
  await signIn.signIn(SECRET, { remember: false })
  await signIn.session.value?.refresh()
  assert.ok(clockAhead.value > 3_000_000)
  signIn.signOut()
  assert.equal(clockAhead.value, 0)
})
