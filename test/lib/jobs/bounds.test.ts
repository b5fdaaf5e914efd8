import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { mkdirSync, realpathSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { directoryWithin, withinBounds } from '../../../lib/jobs/bounds.ts'
import type { JobRequest } from '../../../lib/jobs/job.ts'
import type { RunBounds } from '../../../lib/security/caller.ts'
import { requestOf } from '../../support/jobs.ts'
import { linuxProcesses } from '../../support/linux-processes.ts'
import { scratchDirectory } from '../../support/scratch.ts'

const allows = async (request: Partial<JobRequest>, bounds: RunBounds) => {
  using directory = bounds.cwd && (await directoryWithin(request.cwd, bounds.cwd, linuxProcesses()))
  return withinBounds(requestOf({ ...request, ...(directory && { cwd: directory.path }) }), bounds)
}

/** The client is told what is allowed, where that is short. */
const refuses = (request: Partial<JobRequest>, bounds: RunBounds, field: string, allowed?: string) =>
  assert.rejects(allows(request, bounds), {
    code: 'out-of-bounds',
    details: allowed === undefined ? { field } : { field, allowed },
  })

const script = (content: string, type: 'shell' | 'python' = 'shell') => ({
  cmd: '',
  script: { name: 'x', content, type, words: [] },
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

test('a script is allowed to the interpreter that the key names, and to the shell where it names none', async () => {
  const content = '"""\n`id`\n"""\n'
  const hash = sha256(content)
  await refuses(script(content, 'python'), { commands: [hash] }, 'scriptContent')
  await allows(script(content, 'python'), { commands: [`${hash}:python`] })
  await refuses(script(content), { commands: [`${hash}:python`] }, 'scriptContent')
  await allows(script(content), { commands: [`${hash}:shell`] })
  await allows(script(content, 'python'), { commands: [hash, `${hash}:python`] })
})

test('the hash of a script is no command line', async () => {
  for (const hash of [sha256('x'), `${sha256('x')}:python`]) {
    await refuses({ cmd: hash }, { commands: [hash] }, 'cmd')
    await refuses({ cmd: 'true', params: hash }, { commands: [hash] }, 'cmd')
  }
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

test('the directories of a key may be links, or lie below one, and need not be there', async () => {
  const directory = scratchDirectory()
  mkdirSync(join(directory, 'real/app'), { recursive: true })
  symlinkSync(join(directory, 'real'), join(directory, 'link'))
  for (const allowed of ['link', 'link/app', 'real/app']) {
    const bounds = { cwd: [join(directory, 'nowhere/'), join(directory, allowed, '/')] }
    for (const cwd of ['link/app', 'real/app'])
      assert.equal(
        (await allows({ cmd: 'pwd', cwd: join(directory, cwd) }, bounds)).cwd,
        realpathSync(join(directory, 'real/app')),
      )
    await refuses({ cmd: 'pwd', cwd: directory }, bounds, 'cwd', bounds.cwd.join(', '))
  }
  await allows({ cmd: 'pwd', cwd: directory }, { cwd: ['/'] })
})

test('a directory that cannot be opened for want of descriptors is not called out of bounds', async () => {
  const fault = Object.assign(new Error('too many open files'), { code: 'EMFILE' })
  const openDirectory = () => Promise.reject(fault)
  await assert.rejects(directoryWithin('/srv', ['/srv/'], { openDirectory }), fault)
})

test('no timeout is longer than that of the key, which a job without one gets', async () => {
  const bounds = { timeoutMs: 5000 }
  assert.deepEqual((await allows({ cmd: 'true' }, bounds)).timeout, { text: '5s', ms: 5000 })
  const shorter = { text: '1s', ms: 1000 }
  assert.deepEqual((await allows({ cmd: 'true', timeout: shorter }, bounds)).timeout, shorter)
  await refuses({ cmd: 'true', timeout: { text: '6s', ms: 6000 } }, bounds, 'timeout', '5s')
  const long = { timeout: { text: '2m', ms: 120_000 } }
  await refuses({ cmd: 'true', ...long }, { timeoutMs: 90_000 }, 'timeout', '90s')
})
