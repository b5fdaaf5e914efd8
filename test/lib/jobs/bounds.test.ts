import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { mkdirSync, realpathSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { directoryWithin, withinBounds } from '../../../lib/jobs/bounds.ts'
import type { JobRequest } from '../../../lib/jobs/job.ts'
import type { RunBounds } from '../../../lib/security/caller.ts'
import { requestOf } from '../../support/jobs.ts'
import { scratchDirectory } from '../../support/scratch.ts'

const allows = async (request: Partial<JobRequest>, bounds: RunBounds) => {
  const cwd = bounds.cwd && { cwd: await directoryWithin(request.cwd, bounds.cwd) }
  return withinBounds(requestOf({ ...request, ...cwd }), bounds)
}

/** The client is told what is allowed, where that is short. */
const refuses = (request: Partial<JobRequest>, bounds: RunBounds, field: string, allowed?: string) =>
  assert.rejects(allows(request, bounds), {
    code: 'out-of-bounds',
    details: allowed === undefined ? { field } : { field, allowed },
  })

const script = (content: string) => ({
  cmd: '',
  script: { name: 'x.sh', content, type: 'shell' as const, words: [] },
})
const sha256 = (text: string): string => `sha256:${createHash('sha256').update(text).digest('hex')}`

test('without bounds everything is allowed as it is', async () => {
  const request = requestOf({ cmd: 'anything', cwd: '/', env: { A: 'b' } })
  assert.equal(withinBounds(request, {}), request)
})

test('only the very command lines of the key are allowed, params included', async () => {
  const bounds = { commands: ['systemctl reload nginx'] }
  await allows({ cmd: 'systemctl reload nginx' }, bounds)
  await allows({ cmd: 'systemctl', params: 'reload nginx' }, bounds)
  for (const cmd of [
    'systemctl reload nginx; id',
    'systemctl  reload nginx',
    ' systemctl reload nginx',
    'id',
  ]) {
    await refuses({ cmd }, bounds, 'cmd')
  }
  await refuses({ cmd: 'systemctl reload nginx', params: '; id' }, bounds, 'cmd')
  await refuses(script('systemctl reload nginx'), bounds, 'scriptContent')
  await refuses({ cmd: sha256('x') }, { commands: [sha256('y')] }, 'cmd')
})

test('a script is allowed by the SHA-256 of its content', async () => {
  const bounds = { commands: [sha256('echo 1\n')] }
  await allows(script('echo 1\n'), bounds)
  await refuses(script('echo 1'), bounds, 'scriptContent')
  await refuses({ cmd: 'echo 1\n' }, bounds, 'cmd')
})

test('with bounded commands no variable and no directory makes another program of them', async () => {
  const bounds = { commands: ['./reload'] }
  await allows({ cmd: './reload', env: {} }, bounds)
  await refuses({ cmd: './reload', env: { PATH: '/tmp' } }, bounds, 'env')
  await refuses({ cmd: './reload', cwd: '/tmp' }, bounds, 'cwd')
})

test('a job runs in or below the directories of the key, wherever links lead', async () => {
  const directory = scratchDirectory()
  for (const name of ['app', 'app/below', 'apple']) mkdirSync(join(directory, name))
  symlinkSync(directory, join(directory, 'app/out'))
  symlinkSync(join(directory, 'app/below'), join(directory, 'in'))
  const bounds = { cwd: [`${directory}/app/`] }
  for (const name of ['app', 'app/', 'app/below', 'app/below/..', 'in']) {
    const { cwd } = await allows({ cmd: 'pwd', cwd: `${directory}/${name}` }, bounds)
    // A link that is changed after the check changes nothing.
    assert.equal(cwd, realpathSync(`${directory}/${name}`))
  }
  for (const name of [
    '',
    'apple',
    'app/..',
    'app/out',
    'app/out/apple',
    'nowhere',
    'app/nowhere',
    'app/../nowhere',
  ]) {
    await refuses({ cmd: 'pwd', cwd: `${directory}/${name}` }, bounds, 'cwd', `${directory}/app/`)
  }
  await refuses({ cmd: 'pwd' }, bounds, 'cwd', `${directory}/app/`)
})

test('no timeout is longer than that of the key, which a job without one gets', async () => {
  const bounds = { timeoutMs: 5000 }
  assert.deepEqual((await allows({ cmd: 'true' }, bounds)).timeout, { text: '5s', ms: 5000 })
  const shorter = { text: '1s', ms: 1000 }
  assert.deepEqual((await allows({ cmd: 'true', timeout: shorter }, bounds)).timeout, shorter)
  await refuses({ cmd: 'true', timeout: { text: '6s', ms: 6000 } }, bounds, 'timeout', '5s')
})
