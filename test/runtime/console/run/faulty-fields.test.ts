import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { ZodType } from 'zod'
import { ERROR_REPLIES } from '../../../../handlers/http/error-replies.ts'
import type { Text } from '../../../../handlers/http/text.ts'
import { validate } from '../../../../handlers/http/validate.ts'
import { commandSchema, scriptSchema } from '../../../../handlers/jobs/job-schema.ts'
import { faultyFields } from '../../../../runtime/console/run/faulty-fields.ts'

/** What the agent says to a submission that it refuses, in both languages. */
const refusal = (schema: ZodType, body: unknown): string[] => {
  try {
    validate(schema, body)
  } catch (error) {
    const { detail } = (error as { details: { detail: Text } }).details
    const { en, zh } = ERROR_REPLIES['invalid-request']
    return [en({ detail }), zh({ detail })]
  }
  return assert.fail('it was not refused')
}

const fieldsOf = (message: string, word = 'invalid-request'): string[] =>
  [...faultyFields({ word, message })].sort()

test('the fields that the agent refuses are found in its messages, in both languages', () => {
  const command = {
    cmd: '',
    timeout: 'soon',
    cwd: 'tmp',
    encoding: 'x',
    labels: { 'a b': '' },
    outputLimit: 'x',
  }
  for (const message of refusal(commandSchema, command))
    assert.deepEqual(fieldsOf(message), ['cmd', 'cwd', 'encoding', 'labels', 'outputLimit', 'timeout'])
  const limits = { cpus: 'two', memory: '1b' }
  for (const message of refusal(commandSchema, { cmd: 'true', user: '0', limits, env: { AGENT_X: '' } }))
    assert.deepEqual(fieldsOf(message), ['env', 'limits.cpus', 'limits.memory', 'user'])
  const script = { scriptName: 'a/b', scriptType: 'shell', scriptContent: '', params: '"' }
  for (const message of refusal(scriptSchema, script))
    assert.deepEqual(fieldsOf(message).slice(-1), ['scriptName'])
})

test('a variable with the name of a field is a variable', () => {
  for (const message of refusal(commandSchema, { cmd: 'true', env: { 'cmd=': '' } }))
    assert.deepEqual(fieldsOf(message), ['env'])
})

test('what a limit or a key does not allow is found too, and a refused user by the word of the error', () => {
  assert.deepEqual(fieldsOf('invalid request: limits.memory must not be more than 1gb', 'limit-too-high'), [
    'limits.memory',
  ])
  assert.deepEqual(fieldsOf('the key does not allow this cwd; it allows /srv', 'out-of-bounds'), ['cwd'])
  assert.deepEqual(fieldsOf('there is no user deploy', 'unknown-user'), ['user'])
})

test('an error of another kind names none', () => {
  assert.deepEqual(fieldsOf('the job cannot be stored: no cmd', 'not-stored'), [])
})
