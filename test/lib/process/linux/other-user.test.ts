import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { chmodSync, mkdirSync, readFileSync, renameSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import koffi from 'koffi'
import { openLibc } from '../../../../lib/process/linux/libc.ts'
import { NOT_TAKEN } from '../../../../lib/process/shell-variables.ts'
import type { Account, StartSpec } from '../../../../lib/process/types.ts'
import { linuxProcesses } from '../../../support/linux-processes.ts'
import { startBash } from '../../../support/run-process.ts'
import { scratchDirectory } from '../../../support/scratch.ts'

const processes = linuxProcesses()
const missing = processes.userSupport()
const directory = scratchDirectory()
// What is below may be entered by whoever may enter it.
chmodSync(directory, 0o755)

const accountOf = async (user: string, group?: string): Promise<Account> => {
  const account = await processes.findAccount(user, group)
  assert.ok(account && account !== 'no-group')
  return account
}

/** Runs a command as nobody, to its end. */
const run = async (command: string, spec: Partial<StartSpec> = {}) => {
  const started = await startBash(processes, command, { account: await accountOf('nobody'), ...spec })
  const failure = await started.setUp
  const { status } = await started.exited
  await started.outputClosed
  processes.unguard(started.mark)
  return { failure, exitCode: status.exitCode, stdout: started.stdout(), stderr: started.stderr() }
}

describe('a process of another user', { skip: missing }, () => {
  test('it has the ids and groups of the account, all three of each, and no capability', async () => {
    const account = { ...(await accountOf('nobody', 'daemon')), groups: [1, 2, 65_534] }
    const { stdout, failure } = await run(
      'grep -E "^(Uid|Gid|Groups|Cap(Inh|Prm|Eff|Amb))" /proc/self/status',
      {
        account,
      },
    )
    assert.equal(failure, '')
    assert.deepEqual(
      stdout
        .trim()
        .split('\n')
        .map(line => line.split(/\s+/)),
      [
        ['Uid:', ...Array(4).fill('65534')],
        ['Gid:', ...Array(4).fill('1')],
        ['Groups:', '1', '2', '65534', ''],
        ...['Inh', 'Prm', 'Eff', 'Amb'].map(name => [`Cap${name}:`, '0000000000000000']),
      ],
    )
  })

  test('ps shows the command as its own, and the mark stays', async () => {
    const { stdout } = await run('tr "\\0" "|" < /proc/$$/cmdline; echo; grep "file locks" /proc/$$/limits')
    const [command, limit] = stdout.split('\n')
    assert.match(command!, /^\/\S*bash\|-c\|--\|tr /)
    assert.match(limit!, /^Max file locks +\d{16} /)
  })

  test('it may open its descriptors by name, and has no other', async () => {
    const { stdout, stderr } = await run(
      'cat /dev/stdin; echo out > /dev/stdout; echo err > /dev/stderr; ls /proc/self/fd',
      {
        stdin: Buffer.from('in\n'),
      },
    )
    // The last one is the directory that ls reads.
    assert.deepEqual([stdout, stderr], ['in\nout\n0\n1\n2\n3\n', 'err\n'])
  })

  test('what it writes is its own, with the umask of the agent’s start', async () => {
    const open = join(directory, 'open')
    mkdirSync(open)
    chmodSync(open, 0o777)
    await run('echo x > file', { cwd: open })
    const { uid, gid } = statSync(join(open, 'file'))
    assert.deepEqual([uid, gid], [65_534, 65_534])
  })

  test('variables arrive as they are, and no code of theirs runs as the agent', async () => {
    const spied = join(directory, 'spied')
    const values = {
      A: 'quote \' double " dollar $HOME `id` \\ line\nfeed',
      _B1: '',
      PS4: ',',
      PATH: '/bin:/usr/bin',
      number: '7',
      variables: 'v',
      directory: 'd',
    }
    const { stdout, failure } = await run(
      'printf "%s|" "$A" "$_B1" "$PS4" "$PATH" "$number" "$variables" "$directory"; env | grep -c NEWDT_AUTO_',
      {
        ownEnv: { ...values, ENV: `${spied}.sh`, BASH_ENV: `${spied}.sh` },
      },
    )
    assert.equal(failure, '')
    assert.equal(stdout, `${Object.values(values).join('|')}|0\n`)

    // The loader runs this in each program that has the variable, before the program itself.
    writeFileSync(
      `${spied}.c`,
      `#include <stdio.h>\n#include <unistd.h>\n__attribute__((constructor)) static void tell(void) { FILE *f = fopen("${spied}.out", "a"); if (f) { fprintf(f, "%d\\n", getuid()); fclose(f); } }`,
    )
    writeFileSync(`${spied}.out`, '')
    chmodSync(`${spied}.out`, 0o666)
    const { status } = spawnSync('cc', ['-shared', '-fPIC', '-o', `${spied}.so`, `${spied}.c`])
    if (status !== 0) return // There is no compiler here.
    chmodSync(`${spied}.so`, 0o755)
    await run('true', { ownEnv: { LD_PRELOAD: `${spied}.so` } })
    const uids = readFileSync(`${spied}.out`, 'utf8').trim().split('\n')
    assert.deepEqual([...new Set(uids)], ['65534'])
  })

  test('a name that no shell can have is refused, and its value is not told', async () => {
    await assert.rejects(run('true', { ownEnv: { 'a.b': 'secret' } }), {
      message: `env a.b: ${NOT_TAKEN}`,
    })
  })

  test('it starts in the home of its user, and in / where there is none', async () => {
    const home = join(directory, 'home')
    mkdirSync(home)
    chmodSync(home, 0o755)
    const account = await accountOf('nobody')
    assert.equal((await run('pwd', { account: { ...account, home } })).stdout, `${home}\n`)
    assert.equal((await run('pwd', { account: { ...account, home: '/no/such' } })).stdout, '/\n')
    assert.equal((await run('pwd', { account: { ...account, home: '' } })).stdout, '/\n')
  })

  test('a directory is entered with the rights of the user', async () => {
    const closed = join(directory, 'closed')
    mkdirSync(join(closed, 'below'), { recursive: true })
    chmodSync(closed, 0o700)
    chmodSync(join(closed, 'below'), 0o777)
    for (const [cwd, reason] of [
      [closed, 'permission denied'],
      [join(closed, 'below'), 'permission denied'],
      [join(directory, 'nowhere'), 'no such file or directory'],
      ['/etc/passwd', 'not a directory'],
    ]) {
      const { failure, stdout } = await run('pwd', { cwd: cwd! })
      assert.deepEqual([failure, stdout], [`chdir ${cwd}: ${reason}`, ''])
    }
  })

  test('an open directory is the one that it starts in, if the user may be there', async () => {
    const free = join(directory, 'free')
    mkdirSync(free)
    chmodSync(free, 0o755)
    using opened = await processes.openDirectory(free)
    assert.equal((await run('pwd', { cwd: opened })).stdout, `${free}\n`)
    const below = join(directory, 'shut', 'below')
    mkdirSync(below, { recursive: true })
    chmodSync(join(directory, 'shut'), 0o700)
    chmodSync(below, 0o777)
    using hidden = await processes.openDirectory(below)
    assert.equal((await run('pwd', { cwd: hidden })).failure, `chdir ${below}: permission denied`)
    // Another one has its name by now.
    renameSync(free, `${free}-old`)
    mkdirSync(free)
    chmodSync(free, 0o755)
    assert.equal((await run('pwd', { cwd: opened })).failure, `chdir ${free}: permission denied`)
  })

  test('a script that it may not read is not started', async () => {
    const script = join(directory, 'script')
    writeFileSync(script, 'echo ran', { mode: 0o700 })
    const failed = await run('', { file: 'bash', args: [script], script })
    assert.deepEqual([failed.failure, failed.stdout], [`open ${script}: permission denied`, ''])
    chmodSync(script, 0o755)
    assert.equal((await run('', { file: 'bash', args: [script], script })).stdout, 'ran\n')
  })

  test('it can neither read nor signal the agent', async () => {
    const { stdout } = await run(
      `cat /proc/${process.pid}/environ; ls /proc/${process.pid}/fd; kill -0 ${process.pid} || echo not permitted`,
    )
    assert.equal(stdout, 'not permitted\n')
  })

  test('the program is the first in PATH that the user may execute', async () => {
    const [mine, theirs] = ['mine', 'theirs'].map(name => join(directory, name))
    for (const [place, mode] of [
      [mine, 0o700],
      [theirs, 0o755],
    ] as const) {
      mkdirSync(place!)
      writeFileSync(join(place!, 'tool'), `#!/bin/sh\necho ${place}`)
      chmodSync(join(place!, 'tool'), mode)
      chmodSync(place!, 0o755)
    }
    const env = { PATH: `${mine}:${theirs}:/usr/bin:/bin` }
    assert.equal((await run('', { file: 'tool', args: [], env })).stdout, `${theirs}\n`)
    const { failure } = await run('', { file: 'no-such-program' })
    assert.equal(failure, 'exec: "no-such-program": executable file not found in $PATH')
  })

  test('it has a session keyring of its own, and the agent comes back to its keys', async () => {
    const libc = openLibc()
    await run('true')
    const addKey = koffi
      .load(null)
      .func('long syscall(long, const char *, const char *, const char *, long, long)')
    const SYS_ADD_KEY = process.arch === 'arm64' ? 217 : 248
    const name = `newdt-test-${process.pid}`
    const key = addKey(SYS_ADD_KEY, 'user', name, 'secret', 6, -3)
    if (key < 0) return // The kernel has no keyrings.
    const KEYCTL_READ = 11
    const SYS_KEYCTL = process.arch === 'arm64' ? 219 : 250
    // Only who possesses the key may read it, for nobody else has the right.
    libc.syscall(SYS_KEYCTL, 5, key, 0x3f000000)
    const canRead = () => libc.syscall(SYS_KEYCTL, KEYCTL_READ, key, 0) === 6
    assert.ok(canRead())
    for (let round = 0; round < 3; round++) {
      assert.equal((await run(`grep -c ${name} /proc/keys`)).stdout, '0\n')
      assert.ok(canRead(), `after ${round + 1} jobs of another user`)
    }
  })
})
