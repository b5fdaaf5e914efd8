import assert from 'node:assert/strict'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { readLiving } from '../../../../lib/process/linux/proc.ts'
import { findInSpite, stopAll } from '../../../../lib/process/stop.ts'
import type { LimitName, Limits, StartSpec, Target } from '../../../../lib/process/types.ts'
import { groupBases, linuxProcesses } from '../../../support/linux-processes.ts'
import { type Started, startBash } from '../../../support/run-process.ts'
import { waitFor } from '../../../support/wait-for.ts'

const processes = linuxProcesses()
const support = processes.limitSupport()
const missing = (...names: LimitName[]): string | false => {
  for (const name of names) {
    const found = support[name]
    if ('missing' in found) return found.missing
  }
  return false
}

const targetOf = ({ mark, pid }: Started): Target => ({ marks: new Set([mark]), pid })
const bases = groupBases()
const groupsOf = (mark: number): string[] =>
  bases.map(base => join(base, `job-${mark}`)).filter(path => existsSync(path))
const allGroups = (): string[] =>
  bases
    .filter(base => existsSync(base))
    .flatMap(base => readdirSync(base).filter(name => name.startsWith('job-')))
const groupsGone = (mark: number) =>
  waitFor('the groups of the job are gone', () => groupsOf(mark).length === 0)

const start = (command: string, limits: Limits, spec: Partial<StartSpec> = {}) =>
  startBash(processes, command, { limits, ...spec })

/** Runs a command to its end. */
const run = async (command: string, limits: Limits, spec: Partial<StartSpec> = {}) => {
  const started = await start(command, limits, spec)
  assert.equal(await started.setUp, '')
  const exit = await started.exited
  await started.outputClosed
  const target = targetOf(started)
  const usage = await processes.usage(target, exit)
  const wasOutOfMemory = processes.wasOutOfMemory(target)
  processes.unguard(started.mark)
  await groupsGone(started.mark)
  return { ...exit.status, usage, wasOutOfMemory, stdout: started.stdout(), stderr: started.stderr() }
}

describe('limits of a process', () => {
  test('open files, the size of a file, and niceness', {
    skip: missing('openFiles', 'fileSize', 'nice'),
  }, async () => {
    const { stdout } = await run(
      'grep -E "Max (open files|file size)" /proc/self/limits | sed "s/  */ /g"; nice; head -c 3000 /dev/zero > /tmp/test-newdt-size-$$; echo $?; rm /tmp/test-newdt-size-$$',
      { openFiles: 64, fileSize: 2000, nice: 7 },
    )
    assert.deepEqual(stdout.split('\n'), [
      'Max file size 2000 2000 bytes ',
      'Max open files 64 64 files ',
      '7',
      // SIGXFSZ.
      '153',
      '',
    ])
  })

  test('no program gives it more rights when it has asked for that', { skip: missing('nice') }, async () => {
    const { stdout } = await run('grep NoNewPrivs /proc/self/status', {}, { noNewPrivileges: true })
    assert.equal(stdout, 'NoNewPrivs:\t1\n')
  })

  test('its variables and its directory are as without limits', { skip: missing('nice') }, async () => {
    const ownEnv = {
      A: ' x\ny ',
      script: 's',
      directory: 'd',
      here: 'h',
      PS1: '1',
      IFS: ',',
      OLDPWD: '/o',
      TZ: 'UTC',
    }
    const { stdout } = await run('', { nice: 1 }, { file: 'env', args: ['-0'], cwd: '/usr', ownEnv })
    const found = new Set(stdout.split('\0'))
    for (const [name, value] of Object.entries({ ...ownEnv, PWD: '/usr' }))
      assert.ok(found.has(`${name}=${value}`), `${name}: ${stdout}`)
  })

  test('what a request sets does nothing to the steps before its program', {
    skip: missing('processes'),
  }, async () => {
    const ownEnv = {
      LD_PRELOAD: '/no/such.so',
      LC_ALL: 'xx_YY',
      ENV: '/no/such',
      PS4: '$(touch /tmp/x)',
      SHELLOPTS_: '',
    }
    const { stdout, exitCode } = await run(
      'grep -c job- /proc/self/cgroup; echo "$LC_ALL"',
      { processes: 50 },
      { ownEnv },
    )
    assert.match(stdout, /^[1-9]\d*\nxx_YY\n$/)
    assert.equal(exitCode, 0)
    // A function of this name would be what joins the group.
    await assert.rejects(run('true', { processes: 50 }, { ownEnv: { 'BASH_FUNC_echo%%': '() { :; }' } }), {
      message: /^env BASH_FUNC_echo%%: /,
    })
  })
})

describe('limits of all processes of a job', { skip: missing('memory', 'cpus', 'processes') }, () => {
  test('another user is within them as well', { skip: processes.userSupport() }, async () => {
    const account = await processes.findAccount('nobody')
    assert.ok(account && account !== 'no-group')
    const { stdout } = await run(
      'id -u; ulimit -n; nice; grep -c /job- /proc/self/cgroup',
      { openFiles: 77, nice: 4, memory: 64 << 20, processes: 30 },
      { account },
    )
    const [uid, openFiles, nice, groups] = stdout.trim().split('\n').map(Number)
    assert.deepEqual([uid, openFiles, nice], [65_534, 77, 4])
    assert.ok(groups! > 0)
  })

  test('who takes too much memory is killed, its peak is told', async () => {
    const { signal, wasOutOfMemory, usage } = await run('exec python3 -c "x = bytearray(300 << 20)"', {
      memory: 64 << 20,
    })
    assert.deepEqual([signal, wasOutOfMemory], [9, true])
    assert.ok(usage.peakMemory! > 48 << 20 && usage.peakMemory! <= 64 << 20, `${usage.peakMemory}`)
  })

  test('that one of several was killed for memory is told while the others live', async () => {
    let told = 0
    const started = await start(
      'python3 -c "x = bytearray(300 << 20)"; trap "" TERM; echo alive; sleep 1000',
      { memory: 64 << 20 },
      { onOutOfMemory: () => told++ },
    )
    const target = targetOf(started)
    // Version 2 kills all of them at once.
    const ended = started.exited.then(() => 'ended')
    await Promise.race([ended, waitFor('it is told', () => told === 1, 20_000)])
    assert.ok(processes.wasOutOfMemory(target))
    assert.deepEqual(await stopAll(processes, target, 0), [])
    await ended
    processes.unguard(started.mark)
    await groupsGone(started.mark)
  })

  test('memory is what all its processes use together, in tmpfs too', async () => {
    const { usage, exitCode } = await run(
      'python3 -c "x = bytearray(20 << 20); import time; time.sleep(0.2)" & python3 -c "x = bytearray(20 << 20); import time; time.sleep(0.2)" & wait',
      { memory: 256 << 20 },
    )
    assert.equal(exitCode, 0)
    assert.ok(usage.peakMemory! > 20 << 20, `${usage.peakMemory}`)
  })

  test('a fork bomb gets no further than its limit, and a stop leaves nothing of it', async () => {
    const started = await start('trap "" TERM; bomb() { bomb & bomb & sleep 1000; }; bomb; sleep 1000', {
      processes: 30,
    })
    const target = targetOf(started)
    await waitFor(
      'the limit is reached',
      async () => (await findInSpite(processes, target)).length >= 25,
      30_000,
    )
    const { peakProcesses } = await processes.usage(target)
    assert.ok(peakProcesses === null || peakProcesses <= 30)
    assert.deepEqual(await stopAll(processes, target, 0), [])
    processes.unguard(started.mark)
    await groupsGone(started.mark)
  })

  test('a quota of the processors is what the kernel has been told', async () => {
    const { stdout } = await run(
      'group=$(grep -E "^[0-9]+:([a-z,]*,)?cpu(,|:)" /proc/self/cgroup | cut -d: -f3); cat /sys/fs/cgroup/cpu*"$group"/cpu.cfs_quota_us 2>/dev/null | head -1 || true; cat "/sys/fs/cgroup$(sed -n s/^0:://p /proc/self/cgroup)/cpu.max" 2>/dev/null',
      { cpus: 0.5 },
    )
    assert.match(stdout, /^50000( 100000)?\n/)
  })

  test('usage is told while it runs and at its end', async () => {
    const started = await start(
      'x=0; while [ $x -lt 200000 ]; do x=$((x+1)); done; echo done; read',
      { processes: 10 },
      {},
    )
    const target = targetOf(started)
    await waitFor('it has worked', () => started.stdout() !== '')
    const usage = await processes.usage(target)
    assert.ok(usage.cpu! > 0.05, `${usage.cpu}`)
    assert.ok(usage.memory! > 0)
    const exit = await started.exited
    const { cpu, memory } = await processes.usage(target, exit)
    assert.ok(cpu! >= usage.cpu!)
    assert.equal(memory, null)
    processes.unguard(started.mark)
    await groupsGone(started.mark)
  })

  test('a process that has lost the mark, the session and its parents is found by the group', async () => {
    const started = await start(
      'setsid bash -c "ulimit -x unlimited; setsid sleep 1234.5 & exit" & wait; echo gone; exec sleep 1000',
      { processes: 20 },
    )
    const target = targetOf(started)
    await waitFor('the parents are gone', () => started.stdout() === 'gone\n')
    const found = await waitFor('it sleeps', async () => {
      const all = await processes.find(target)
      const one = all.find(({ mark, command }) => mark === undefined && command === 'sleep')
      return one && { one, all }
    })
    assert.match(readFileSync(`/proc/${found.one.pid}/cmdline`, 'latin1'), /1234\.5/)
    assert.deepEqual(await stopAll(processes, target, 1000), [])
    assert.equal(readLiving(found.one.pid), undefined)
    processes.unguard(started.mark)
    await groupsGone(started.mark)
  })

  test('the groups of a job stay as long as a process of it lives, then they go', async () => {
    const started = await start('sleep 1000 > /dev/null 2>&1 & echo $!', { processes: 20 })
    await started.exited
    const pid = Number(await waitFor('its pid is told', () => started.stdout().trim()))
    const target = targetOf(started)
    assert.ok(processes.mayHaveLeft(target))
    processes.unguard(started.mark)
    assert.ok(groupsOf(started.mark).length > 0)
    process.kill(pid, 'SIGKILL')
    await groupsGone(started.mark)
  })

  test('groups that cannot be made are why a job does not start, and nothing is left', async () => {
    await assert.rejects(start('true', { memory: 64 << 20, cpus: Number.NaN }), ({ message }: Error) =>
      /^cgroup: /.test(message),
    )
    await waitFor('no group is left', () => allGroups().length === 0)
  })

  test('fifty jobs at a time, each with its own groups, leave none', async () => {
    const outcomes = await Promise.all(
      Array.from({ length: 50 }, () => run('exit 3', { processes: 50, memory: 64 << 20 })),
    )
    assert.deepEqual(new Set(outcomes.map(({ exitCode }) => exitCode)), new Set([3]))
  })
})

test('a job without limits has no group, and what it used is known from its end', async () => {
  const started = await startBash(processes, 'head -c 100000 /dev/urandom | md5sum')
  assert.equal(started.setUp, undefined)
  assert.deepEqual(groupsOf(started.mark), [])
  const exit = await started.exited
  const usage = await processes.usage(targetOf(started), exit)
  processes.unguard(started.mark)
  assert.ok(Math.abs(usage.cpu! - exit.cpu.user - exit.cpu.system) < 1e-6)
  assert.deepEqual([usage.memory, usage.peakMemory, usage.peakProcesses], [null, null, null])
  assert.equal(typeof usage.readBytes, 'number')
})
