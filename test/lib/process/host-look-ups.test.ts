import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { chmod, mkdir, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { createHostLookUps, type HostLookUpsOptions } from '../../../lib/process/host-look-ups.ts'
import { StartError } from '../../../lib/process/types.ts'
import { linuxProcesses } from '../../support/linux-processes.ts'
import { preloaded } from '../../support/preloaded.ts'
import { scratchDirectory } from '../../support/scratch.ts'
import { waitFor } from '../../support/wait-for.ts'

const PATH = process.env.PATH ?? ''
const SLOW = preloaded(scratchDirectory(), 'slow-names')

const lookUps = (
  env: Record<string, string> = {},
  longestMs = 60_000,
  processes: Partial<HostLookUpsOptions['processes']> = {},
) => createHostLookUps({ processes: { ...linuxProcesses(), ...processes }, env: { PATH, ...env }, longestMs })

/** The living processes that were started with an argument. */
const pidsWith = (argument: string): number[] =>
  readdirSync('/proc')
    .filter(name => /^[0-9]+$/.test(name))
    .filter(pid => {
      try {
        return readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0').includes(argument)
      } catch {
        return false // It has ended.
      }
    })
    .map(Number)

const noneIsLeft = (argument: string) =>
  waitFor(`none of ${argument} is left`, () => pidsWith(argument).length === 0)

/** A directory in which getent is this script. */
const fakeGetent = async (script: string): Promise<string> => {
  const directory = scratchDirectory()
  await writeFile(join(directory, 'getent'), `#!/bin/sh\n${script}\n`)
  await chmod(join(directory, 'getent'), 0o755)
  return `${directory}:${PATH}`
}

const skip = process.platform !== 'linux' && 'there is no getent'

describe('the look-up of a host', { skip }, () => {
  test('finds what the system finds: its own names, and addresses', async () => {
    const { find } = lookUps()
    assert.ok((await find('localhost')).some(address => address === '127.0.0.1' || address === '::1'))
    assert.deepEqual(await find('192.0.2.7'), ['192.0.2.7'])
  })

  test('a host that is not there is not found, whatever it is called', async () => {
    const { find } = lookUps()
    for (const host of ['nowhere.invalid', '--help', '$(exit)'])
      await assert.rejects(find(host), { code: 'ENOTFOUND' }, host)
  })

  test('takes no part of an answer for all of it, nor leaves behind what a killed program has started', async () => {
    const { find } = lookUps({
      PATH: await fakeGetent('sleep 3607 & echo 192.0.2.1; printf 192.0.2.2; kill -9 $$'),
    })
    await assert.rejects(find('a.test'), { code: 'ETIMEDOUT' })
    await noneIsLeft('3607')
    const many = lookUps({ PATH: await fakeGetent('seq -f "192.0.2.%g STREAM" 10000') })
    assert.ok((await many.find('a.test')).every(address => address.startsWith('192.0.2.')))
  })

  test('where there is no getent the agent looks up itself, and its end waits for no thread', async () => {
    const bin = join(scratchDirectory(), 'bin')
    await mkdir(bin)
    await symlink('/bin/sh', join(bin, 'sh'))
    let left = 0
    const leaveThreads = () => void left++
    const { find, close } = lookUps({ PATH: bin }, 60_000, { leaveThreads })
    assert.ok((await find('localhost')).length > 0)
    await close()
    assert.equal(left, 0)
  })

  test('what cannot be started for another reason is not looked up on a thread', async () => {
    const startHelper = () =>
      Promise.reject(new StartError('fork/exec /bin/sh: resource temporarily unavailable'))
    await assert.rejects(lookUps({}, 60_000, { startHelper }).find('localhost'), StartError)
  })

  test('one that is only being started when all ends is waited for and killed', async () => {
    const { promise: gate, resolve: open } = Promise.withResolvers<void>()
    const { startHelper } = linuxProcesses()
    let begun: Awaited<ReturnType<NonNullable<typeof startHelper>>> | undefined
    const { find, close } = lookUps({ PATH: await fakeGetent('exec sleep 3608') }, 60_000, {
      async startHelper(spec) {
        begun = await startHelper!(spec)
        await gate
        return begun
      },
    })
    const asked = assert.rejects(find('a.test'), { code: 'ETIMEDOUT' })
    await waitFor('it is started', () => begun && pidsWith('3608').length > 0)
    let isClosed = false
    const closed = close().then(() => {
      isClosed = true
    })
    await new Promise(setImmediate)
    assert.ok(!isClosed)
    open()
    await closed
    await asked
    await begun!.exited
    await noneIsLeft('3608')
  })
})

describe('a look-up that hangs', { skip: skip || (!SLOW && 'there is no C compiler') }, () => {
  test('is shared by all who ask for it, holds up no other one, and is killed when the time is up', async () => {
    const { find } = lookUps(SLOW, 3000)
    const hung = Array.from({ length: 8 }, () => find('slow.test'))
    const others = Array.from({ length: 8 }, (_, index) => find(`${index}.slow.test`))
    const refused = [...hung, ...others].map(one => assert.rejects(one, { code: 'ETIMEDOUT' }))
    assert.deepEqual(await find('good.test'), ['127.0.0.1'])
    assert.equal(pidsWith('slow.test').length, 3, 'one shell, what it runs in the background, and getent')
    await Promise.all(refused)
    for (const host of ['slow.test', '7.slow.test']) await noneIsLeft(host)
  })

  test('is killed when nobody needs it any more', async () => {
    const { find, close } = lookUps(SLOW)
    const hung = assert.rejects(find('slow.test'), { code: 'ETIMEDOUT' })
    assert.deepEqual(await find('good.test'), ['127.0.0.1'])
    await close()
    await hung
    await noneIsLeft('slow.test')
    await assert.rejects(find('good.test'), StartError)
  })

  test('takes what it has started with it', async () => {
    const { find } = lookUps({ PATH: await fakeGetent('sleep 3609; echo 192.0.2.1') }, 2000)
    const hung = assert.rejects(find('a.test'), { code: 'ETIMEDOUT' })
    await waitFor('it sleeps', () => pidsWith('3609').length > 0)
    await hung
    await noneIsLeft('3609')
  })

  test('is no job: no limit of jobs is its own, and nobody guards it', async () => {
    const processes = linuxProcesses()
    if (!('missing' in processes.limitSupport().processes)) processes.limitAllJobs({ processes: 1000 })
    const { find, close } = lookUps(SLOW)
    const hung = assert.rejects(find('slow.test'), { code: 'ETIMEDOUT' })
    await waitFor('it hangs', () => pidsWith('slow.test').length === 3)
    const own = readFileSync('/proc/self/cgroup', 'utf8')
    for (const pid of pidsWith('slow.test')) assert.equal(readFileSync(`/proc/${pid}/cgroup`, 'utf8'), own)
    assert.equal(processes.guardian().state, 'idle')
    await close()
    await hung
  })
})
