import assert from 'node:assert/strict'
import { test } from 'node:test'
import { EMPTY_FORM } from '../../../../runtime/console/run/form.ts'
import { changedWithin, formWithin } from '../../../../runtime/console/run/form-within.ts'

const FORM = { ...EMPTY_FORM, cmd: 'date', params: '-u', env: [{ name: 'A', value: '1' }], cwd: '/srv' }
const SCRIPT = 'sha256:00:shell'

test('a key without bounds is given the form as it is', () => {
  assert.deepEqual(formWithin(FORM, {}), FORM)
})

test('a key that is held to some commands has only those, whole, without variables and a directory', () => {
  const { cmd, params, env, cwd } = formWithin(FORM, { commands: ['date -u', 'uptime'] })
  assert.deepEqual({ cmd, params, env, cwd }, { cmd: 'date -u', params: '', env: [], cwd: '' })
  assert.equal(formWithin(FORM, { commands: ['date'] }).cmd, '')
})

test('a command that is chosen goes without the params of a script before, whose field is not there', () => {
  assert.equal(changedWithin(FORM, { commands: ['date', SCRIPT] }).params, '')
  assert.deepEqual(changedWithin({ ...FORM, kind: 'script' }, { commands: ['date', SCRIPT] }).params, '-u')
  assert.deepEqual(changedWithin(FORM, {}), FORM)
})

test('a script is only for a key that may run some', () => {
  const script = { ...FORM, kind: 'script' } as const
  assert.equal(formWithin(script, { commands: ['date'] }).kind, 'command')
  assert.equal(formWithin(script, { commands: ['date', SCRIPT] }).kind, 'script')
  assert.equal(formWithin(script, { commands: ['date', SCRIPT] }).params, '-u')
  assert.equal(formWithin(FORM, { commands: [SCRIPT] }).kind, 'script')
})

test('where only some directories are allowed, the first is filled in', () => {
  assert.equal(formWithin({ ...FORM, cwd: '' }, { cwd: ['/srv/a', '/srv/b'] }).cwd, '/srv/a')
  assert.equal(formWithin(FORM, { cwd: ['/srv/a'], commands: ['date'] }).cwd, '/srv')
})
