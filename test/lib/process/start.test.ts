import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { readLiving } from '../../../lib/process/linux/proc.ts'
import { createNodeProcesses } from '../../../lib/process/node/node-processes.ts'
import { type Processes, StartError } from '../../../lib/process/types.ts'
import { linuxProcesses } from '../../support/linux-processes.ts'
import { findByText, openDescriptors, zombieChildren } from '../../support/proc.ts'
import { runBash, type Started, startBash } from '../../support/run-process.ts'
import { scratchDirectory } from '../../support/scratch.ts'
import { waitFor } from '../../support/wait-for.ts'

/** What node:child_process cannot do, by the name of the test. */
const BEYOND_NODE = new Set([
  'a job may open /dev/stdout and /dev/stderr, and nothing written before is lost',
  'a core dump and a real-time signal are told',
  'a job has no signal blocked, ignored or caught',
  'input can be read again from its beginning',
  'a process has no descriptor but its three',
])

const layers: [string, () => Processes][] = [
  ['posix_spawn', linuxProcesses],
  ['node:child_process', createNodeProcesses],
]

for (const [layer, create] of layers) {
  describe(`processes started by ${layer}`, () => {
    let processes: Processes
    const directory = scratchDirectory()
    before(() => {
      processes = create()
    })
    // Orphans of the other layer become this process's too, but nobody there reaps what is not marked.
    if (layer === 'posix_spawn') after(() => assert.deepEqual(zombieChildren(process.pid), []))

    const it = (name: string, run: () => Promise<void>) =>
      test(name, { skip: layer !== 'posix_spawn' && BEYOND_NODE.has(name) }, run)

    it('what a command prints and how it exits is told', async () => {
      const { status, text, stdout, stderr } = await runBash(processes, 'echo out; echo err >&2; exit 123')
      assert.deepEqual(status, { exitCode: 123, signal: 0, coreDumped: false })
      assert.deepEqual(
        { text, stdout, stderr },
        { text: 'exit status 123', stdout: 'out\n', stderr: 'err\n' },
      )
    })

    for (const [signal, expected] of [
      ['KILL', 'signal: killed'],
      ['TERM', 'signal: terminated'],
      ['HUP', 'signal: hangup'],
      ['USR1', 'signal: user defined signal 1'],
    ] as const) {
      it(`a process that ${signal} ended has no exit code, and "${expected}"`, async () => {
        const { status, text } = await runBash(processes, `kill -${signal} $$`)
        assert.deepEqual([status.exitCode, text], [0, expected])
      })
    }

    it('a core dump and a real-time signal are told', async () => {
      const segv = await runBash(processes, 'ulimit -c 0; kill -SEGV $$')
      assert.equal(segv.text, 'signal: segmentation fault')
      const realTime = await runBash(processes, 'kill -34 $$')
      assert.equal(realTime.text, 'signal: signal 34')
      const dumping = await runBash(processes, 'ulimit -c unlimited && kill -ABRT $$', { cwd: directory })
      // Where the kernel hands cores to a program, or the hard limit forbids them, there is no flag to tell.
      const dumps = !readFileSync('/proc/sys/kernel/core_pattern', 'utf8').startsWith('|')
      assert.match(
        dumping.text,
        dumps ? /^signal: aborted( \(core dumped\))?$|^exit status 1$/ : /^signal: aborted/,
      )
      assert.equal(dumping.text.endsWith('(core dumped)'), dumping.status.coreDumped)
    })

    it('input is read to its end, then end of file', async () => {
      const text = 'é'.repeat(100_000)
      const { stdout } = await runBash(processes, 'cat; echo end', { stdin: Buffer.from(text) })
      assert.equal(stdout, `${text}end\n`)
    })

    it('without input there is end of file at once', async () => {
      assert.equal((await runBash(processes, 'cat; echo end')).stdout, 'end\n')
      assert.equal((await runBash(processes, 'cat; echo end', { stdin: new Uint8Array() })).stdout, 'end\n')
    })

    it('input can be read again from its beginning', async () => {
      const command = 'cat; cat /dev/stdin; cat < /proc/self/fd/0'
      assert.equal((await runBash(processes, command, { stdin: Buffer.from('a') })).stdout, 'aaa')
    })

    it('a job may open /dev/stdout and /dev/stderr, and nothing written before is lost', async () => {
      const command =
        'echo 1; echo 2 > /dev/stdout; echo 3 > /proc/self/fd/1; echo 4 >&2; echo 5 > /dev/stderr'
      const { stdout, stderr } = await runBash(processes, command)
      assert.deepEqual([stdout, stderr], ['1\n2\n3\n', '4\n5\n'])
    })

    it('a process runs in the given directory, and the agent stays where it was', async () => {
      const here = process.cwd()
      const link = join(directory, 'link')
      symlinkSync('/usr', link)
      assert.equal((await runBash(processes, 'pwd -P', { cwd: link })).stdout, '/usr\n')
      assert.equal((await runBash(processes, 'pwd -P')).stdout, `${here}\n`)
      assert.equal(process.cwd(), here)
    })

    it('a process has exactly the given environment', async () => {
      const env = { PATH: process.env.PATH ?? '', A: 'x=y', EMPTY: '', 'odd name': '1\n2' }
      const { stdout } = await runBash(processes, 'tr "\\0" "\\1" < /proc/$$/environ', { env })
      const seen = stdout.split('\u0001').filter(Boolean)
      assert.deepEqual(
        seen.sort(),
        Object.entries(env)
          .map(([name, value]) => `${name}=${value}`)
          .sort(),
      )
    })

    it('a process leads a session of its own', async () => {
      const { stdout } = await runBash(processes, 'cut -d" " -f1,5,6 /proc/$$/stat')
      const [pid, group, session] = stdout.trim().split(' ')
      assert.deepEqual([group, session], [pid, pid])
    })

    it('a job has no signal blocked, ignored or caught', async () => {
      const { stdout } = await runBash(processes, '', { file: 'cat', args: ['/proc/self/status'] })
      const sets = [...stdout.matchAll(/^Sig(?:Blk|Ign|Cgt):\t([0-9a-f]+)$/gm)].map(match => match[1])
      assert.deepEqual(sets, Array(3).fill('0'.repeat(16)))
    })

    it('a process has no descriptor but its three', async () => {
      const { stdout } = await runBash(processes, '', { file: 'ls', args: ['/proc/self/fd'] })
      assert.equal(stdout, '0\n1\n2\n3\n') // The 3 is the directory that ls reads.
    })

    for (const [what, spec, message] of [
      ['a missing directory', { cwd: '/nope' }, 'chdir /nope: no such file or directory'],
      ['a directory that is a file', { cwd: '/etc/passwd' }, 'chdir /etc/passwd: not a directory'],
      [
        'a missing program',
        { file: 'no-such-program' },
        'exec: "no-such-program": executable file not found in $PATH',
      ],
    ] as const) {
      it(`${what} is told in Go's words`, async () => {
        await assert.rejects(startBash(processes, 'true', spec), new StartError(message))
      })
    }

    it('an argument that is too long for the kernel is told', async () => {
      await assert.rejects(startBash(processes, 'x'.repeat(131_072)), (error: Error) => {
        assert.ok(error instanceof StartError)
        assert.match(error.message, /^fork\/exec .*bash: argument list too long$/)
        return true
      })
    })

    it('a thousand failed starts leave no descriptor open', async () => {
      await runBash(processes, 'true')
      const before = openDescriptors()
      const fails = [
        { cwd: '/nope' },
        { file: 'no-such-program', stdin: Buffer.from('x') },
        { args: ['x'.repeat(200_000)] },
      ]
      for (let index = 0; index < 1000; index++) {
        await assert.rejects(startBash(processes, 'true', fails[index % fails.length]), StartError)
      }
      await waitFor('descriptors are closed', () => openDescriptors() <= before)
    })

    it('a hundred processes at once each get their own output and end', async () => {
      const runs = Array.from({ length: 100 }, (_, index) =>
        runBash(processes, `echo ${index}; exit ${index}`),
      )
      for (const [index, { status, stdout }] of (await Promise.all(runs)).entries()) {
        assert.deepEqual([status.exitCode, stdout], [index, `${index}\n`])
      }
    })

    it('a child in the background may write after its parent has ended, without a SIGPIPE', async () => {
      const child = 'while kill -0 $$ 2>/dev/null; do sleep 0.01; done; echo late; echo "wrote $?" >&2'
      const started = await startBash(processes, `(${child}) &`)
      await started.exited
      await started.outputClosed
      assert.deepEqual([started.stdout(), started.stderr()], ['late\n', 'wrote 0\n'])
    })

    it('one that is stopped waits for nobody, and nobody for it', async () => {
      const stopped = await startBash(processes, 'kill -STOP $$; exit 7')
      const others = Array.from({ length: 5 }, (_, index) => runBash(processes, `exit ${index}`))
      assert.deepEqual(
        (await Promise.all(others)).map(({ status }) => status.exitCode),
        [0, 1, 2, 3, 4],
      )
      await waitFor('it is stopped', () => readLiving(stopped.pid)?.state === 'T')
      assert.equal((await runBash(processes, 'exit 5')).status.exitCode, 5)
      assert.equal(readLiving(stopped.pid)?.state, 'T')
      stopped.kill('SIGCONT')
      assert.equal((await stopped.exited).status.exitCode, 7)
    })

    it('a flood is read to its last byte', async () => {
      let bytes = 0
      const { exited, outputClosed } = await startBash(processes, 'head -c 100000000 /dev/zero', {
        onOutput: (_stream, chunk) => {
          bytes += chunk.length
        },
      })
      assert.deepEqual((await exited).status, { exitCode: 0, signal: 0, coreDumped: false })
      await outputClosed
      assert.equal(bytes, 100_000_000)
    })
  })
}

/** The kernel holds whoever starts a process, so beside others each start is another thread's. */
describe('processes started beside others that run', () => {
  let processes: Processes
  let sleepers: Started[]
  const startSleeper = (): Promise<Started> => startBash(processes, 'exec sleep 1000')
  before(async () => {
    processes = linuxProcesses()
    sleepers = [await startSleeper()]
  })
  after(async () => {
    for (const sleeper of sleepers) sleeper.kill('SIGKILL')
    for (const { exited, outputClosed } of sleepers) await Promise.all([exited, outputClosed])
    await waitFor('all are reaped', () => zombieChildren(process.pid).length === 0)
  })

  const ownLimits = () =>
    ['limits', 'oom_score_adj'].map(name => readFileSync(`/proc/self/${name}`, 'latin1'))
  /** The soft limit in a text of /proc/<pid>/limits, as proc_pid_limits(5) lays it out. */
  const hasSoftLimit = (limits: string, value: number): boolean =>
    limits.split('\n').some(line => line.slice(26, 47).trim() === String(value))

  test('each of many that start at once has its own mark and its true end, and the agent is as before', async () => {
    const before = ownLimits()
    const program = (index: number): string =>
      index % 2 === 0 ? `exit ${index}` : `cat /proc/$$/limits; echo ${index} >&2; exit ${index}`
    const quick = Array.from({ length: 60 }, (_, index) => startBash(processes, program(index)))
    const atOnce = Array.from({ length: 20 }, (_, index) =>
      startBash(processes, '', { file: index % 2 ? 'false' : 'true', args: [] }),
    )
    const killed = Array.from({ length: 10 }, () => startBash(processes, 'kill -KILL $$'))
    const long = Array.from({ length: 20 }, startSleeper)
    const started = await Promise.all([...quick, ...atOnce, ...killed, ...long])
    assert.deepEqual(ownLimits(), before)

    const running = started.slice(-long.length)
    sleepers.push(...running)
    for (const { pid, mark } of running) {
      assert.ok(hasSoftLimit(readFileSync(`/proc/${pid}/limits`, 'latin1'), mark), `${pid} has ${mark}`)
    }
    const ends: number[] = []
    for (const { exited, outputClosed } of started.slice(0, -long.length)) {
      const { status } = await exited
      await outputClosed
      assert.equal(status.coreDumped, false)
      ends.push(status.signal === 0 ? status.exitCode : -status.signal)
    }
    assert.deepEqual(ends, [
      ...quick.map((_, index) => index),
      ...atOnce.map((_, index) => index % 2),
      ...killed.map(() => -9),
    ])
    for (const [index, { mark, stdout, stderr }] of started.slice(0, quick.length).entries()) {
      assert.equal(stderr(), index % 2 === 0 ? '' : `${index}\n`)
      if (index % 2 === 1) assert.ok(hasSoftLimit(stdout(), mark), `${index} has ${mark}`)
    }
    assert.equal(new Set(started.map(({ pid }) => pid)).size, started.length)
    assert.deepEqual(ownLimits(), before)
  })

  test('each is the first to go when memory runs out, and the agent is not', async () => {
    const own = Number(readFileSync('/proc/self/oom_score_adj', 'latin1'))
    const runs = Array.from({ length: 20 }, () => runBash(processes, 'cat /proc/self/oom_score_adj'))
    for (const { stdout } of await Promise.all(runs)) {
      assert.equal(Number(stdout), Math.min(own + 300, 1000))
    }
    assert.equal(Number(readFileSync('/proc/self/oom_score_adj', 'latin1')), own)
  })

  test("what cannot be started is told in Go's words, leaves no descriptor, and does not disturb the others", async () => {
    const before = openDescriptors()
    const limits = ownLimits()
    const failures = [
      [{ file: 'no-such-program' }, 'exec: "no-such-program": executable file not found in $PATH'],
      [{ file: '/no/such', stdin: Buffer.from('x') }, 'fork/exec /no/such: no such file or directory'],
      [{ file: '/etc/passwd' }, 'fork/exec /etc/passwd: permission denied'],
      [{ cwd: '/nope' }, 'chdir /nope: no such file or directory'],
    ] as const
    const runs = Array.from({ length: 100 }, async (_, index) => {
      const failure = failures[index % 5]
      if (!failure) return assert.equal((await runBash(processes, `exit ${index}`)).status.exitCode, index)
      const [spec, message] = failure
      await assert.rejects(startBash(processes, 'true', spec), new StartError(message))
    })
    await Promise.all(runs)
    await waitFor('descriptors are closed', () => openDescriptors() <= before)
    assert.deepEqual(ownLimits(), limits)
  })

  test('each has the limit on open files that the agent was started with, and the agent keeps its own', async t => {
    const text = `open-files-${process.pid}`
    const ours = (path: string): string => JSON.stringify(join(import.meta.dirname, '../../..', path))
    const program = `
      import { readFileSync } from 'node:fs'
      import { createLinuxProcesses } from ${ours('lib/process/linux/linux-processes.ts')}
      import { runBash, startBash } from ${ours('test/support/run-process.ts')}
      const softLimit = () => / (\\d+) /.exec(/Max open files.*/.exec(readFileSync('/proc/self/limits', 'latin1')))[1]
      const before = softLimit()
      const processes = createLinuxProcesses()
      const sleeper = await startBash(processes, 'exec sleep 1000')
      const runs = await Promise.all(Array.from({ length: 30 }, () => runBash(processes, 'ulimit -Sn')))
      sleeper.kill('SIGKILL')
      await sleeper.exited
      const jobs = [...new Set(runs.map(({ stdout }) => stdout.trim()))]
      console.log(JSON.stringify({ before, jobs, after: softLimit() }))
    `
    const careless = `ulimit -Sn 1000; "$0" --input-type=module -e "$1"; exit $?`
    const env = { ...process.env, PATH: `${process.env.PATH}:/${text}` }
    const child = spawn('bash', ['-c', careless, process.execPath, program], {
      env,
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    t.after(() => child.kill('SIGKILL'))
    let output = ''
    child.stdout.on('data', chunk => {
      output += chunk
    })
    const [code] = await once(child, 'close')
    assert.equal(code, 0)
    const { before, jobs, after: afterwards } = JSON.parse(output)
    assert.ok(Number(before) > 1000, `Node has raised it to ${before}`)
    assert.deepEqual([jobs, afterwards], [['1000'], before])
    await waitFor('its guardian is gone', () => findByText(text).length === 0)
  })
})
