import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ClientError } from '../../../../lib/client/client.ts'
import { faultOfAnswer, faultOfForm } from '../../../../runtime/console/run/fault.ts'
import { EMPTY_FORM } from '../../../../runtime/console/run/form.ts'

test('an empty command, a script without a name and a name that is there twice are not sent', () => {
  const twice = [
    { name: 'A', value: '1' },
    { name: 'A', value: '2' },
  ]
  const fieldsOf = (changes: object) => [...(faultOfForm({ ...EMPTY_FORM, ...changes })?.fields ?? [])]
  assert.deepEqual(fieldsOf({ cmd: ' \n' }), ['cmd'])
  assert.deepEqual(fieldsOf({ kind: 'script' }), ['scriptName'])
  assert.deepEqual(fieldsOf({ cmd: 'true', env: twice }), ['env'])
  assert.deepEqual(fieldsOf({ cmd: 'true', labels: twice }), ['labels'])
  assert.equal(faultOfForm({ ...EMPTY_FORM, cmd: 'true' }), undefined)
})

test('another try is offered when all slots are taken or no answer came, not when the request is wrong', () => {
  const faultOf = (word: string, details: object) => faultOfAnswer(new ClientError(word, 'why', details))
  assert.equal(faultOf('too-many-jobs', { status: 429 }).isPassing, true)
  assert.equal(faultOf('not-stored', { status: 503 }).isPassing, true)
  assert.equal(faultOf('unreachable', { mayBeDone: true }).isPassing, true)
  assert.equal(faultOf('invalid-request', { status: 400 }).isPassing, false)
  assert.equal(faultOf('user-not-allowed', { status: 403 }).isPassing, false)
})

test('that a job may run although no answer came is said', () => {
  const lost = faultOfAnswer(new ClientError('unreachable', 'why', { mayBeDone: true }))
  const refused = faultOfAnswer(new ClientError('unreachable', 'why'))
  assert.match(lost.note ?? '', /may have been run/)
  assert.equal(refused.note, undefined)
})
