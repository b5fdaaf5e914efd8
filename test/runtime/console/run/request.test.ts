import assert from 'node:assert/strict'
import { test } from 'node:test'
import { commandSchema, scriptSchema } from '../../../../handlers/jobs/job-schema.ts'
import { EMPTY_FORM, type RunForm } from '../../../../runtime/console/run/form.ts'
import { findRepeated, requestOf } from '../../../../runtime/console/run/request.ts'

const form = (changes: Partial<RunForm>): RunForm => ({ ...EMPTY_FORM, ...changes })

test('of an empty form only the command is asked for', () => {
  assert.deepEqual(requestOf(form({ cmd: 'df -h' })), { cmd: 'df -h' })
})

test('a script is asked for by its name, type and content, and what was typed as a command is left out', () => {
  const script = form({ kind: 'script', cmd: 'df', scriptName: ' x.py ', scriptType: 'python' })
  assert.deepEqual(requestOf(script), { scriptName: 'x.py', scriptType: 'python', scriptContent: '' })
})

test('a script runs with what its first line or its name says, until something is chosen', () => {
  const typeOf = (changes: Partial<RunForm>) => {
    const request = requestOf(form({ kind: 'script', ...changes }))
    return 'scriptType' in request ? request.scriptType : undefined
  }
  assert.equal(typeOf({ scriptName: 'check' }), 'shell')
  assert.equal(typeOf({ scriptName: ' check.py ' }), 'python')
  assert.equal(typeOf({ scriptName: 'check', scriptContent: '#!/usr/bin/env python3\n' }), 'python')
  assert.equal(typeOf({ scriptName: 'check.py', scriptType: 'shell' }), 'shell')
  assert.equal(typeOf({ scriptName: 'check', scriptContent: '#!/usr/bin/perl\n' }), 'shell')
})

test('all that is filled in is asked for, in the units of the agent, and the agent takes it', () => {
  const filled = form({
    cmd: 'make ',
    params: ' -j2',
    cwd: '/srv/app ',
    user: 'deploy',
    timeout: ' 30s ',
    env: [
      { name: 'TZ', value: 'Asia/Shanghai ' },
      { name: '', value: '' },
    ],
    labels: [{ name: ' env ', value: 'prod' }],
    stdin: 'yes\n',
    encoding: 'gbk',
    outputLimit: '1048576',
    onOutputLimit: 'kill',
    leftovers: 'kill',
    limits: { ...EMPTY_FORM.limits, memory: '512 mb', cpus: '1.5', processes: '200' },
    noNewPrivileges: true,
  })
  const request = requestOf(filled)
  assert.deepEqual(request, {
    cmd: 'make ',
    params: ' -j2',
    cwd: '/srv/app ',
    user: 'deploy',
    timeout: '30s',
    env: { TZ: 'Asia/Shanghai ' },
    labels: { env: 'prod' },
    stdin: 'yes\n',
    encoding: 'gbk',
    outputLimit: 1_048_576,
    onOutputLimit: 'kill',
    leftovers: 'kill',
    limits: { memory: '512 mb', cpus: 1.5, processes: 200 },
    noNewPrivileges: true,
  })
  assert.ok(commandSchema.safeParse(request).success)
  assert.ok(scriptSchema.safeParse(requestOf({ ...filled, kind: 'script', scriptName: 'x.sh' })).success)
})

test('what is no number is sent as it is typed, for the agent to say what it should be', () => {
  const request = requestOf(form({ cmd: 'true', limits: { ...EMPTY_FORM.limits, cpus: 'two' } }))
  assert.deepEqual(request, { cmd: 'true', limits: { cpus: 'two' } })
})

test('a variable with a value and without a name is sent, for the agent to refuse it', () => {
  assert.deepEqual(requestOf(form({ cmd: 'true', env: [{ name: '', value: 'x' }] })), {
    cmd: 'true',
    env: { '': 'x' },
  })
})

test('a variable may have a name that objects of JavaScript have by themselves', () => {
  const { env } = requestOf(form({ cmd: 'true', env: [{ name: '__proto__', value: 'x' }] }))
  assert.equal(JSON.stringify(env), '{"__proto__":"x"}')
})

test('a name that is there twice is found, and two rows without a name are not', () => {
  const pairs = (...names: string[]) => names.map(name => ({ name, value: '' }))
  assert.equal(findRepeated(pairs('A', 'B', 'A ')), 'A')
  assert.equal(findRepeated(pairs('A', '', '')), undefined)
})
