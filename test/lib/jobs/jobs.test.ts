import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { after, describe, test } from 'node:test'
import { AgentError } from '../../../lib/base/errors.ts'
import { ZERO_TIME } from '../../../lib/base/timestamp.ts'
import { createTestJobs, requestOf, script } from '../../support/jobs.ts'
import { openDescriptors } from '../../support/proc.ts'
import { waitFor } from '../../support/wait-for.ts'

const hash = (text: string) => createHash('sha256').update(text).digest()

const failsWith = (code: string) => (error: unknown) => {
  assert.ok(error instanceof AgentError)
  assert.equal(error.code, code)
  return true
}

/** RFC 3339 leaves trailing zeros out, so the strings themselves do not sort. */
const isInOrder = (...times: string[]): boolean => {
  const micros = times.map(
    time => Date.parse(time) * 1000 + Number(`${/\.(\d+)/.exec(time)?.[1] ?? ''}000000`.slice(3, 6)),
  )
  return micros.every((time, index) => index === 0 || time >= micros[index - 1]!)
}

describe('jobs', () => {
  const agent = createTestJobs()
  const { jobs } = agent
  after(agent.close)

  test('a command that succeeds has every field of the contract', async () => {
    const job = await agent.run({ cmd: 'echo out; echo err >&2', params: '; echo $NEWDT_AUTO_JOB_ID' })
    assert.match(job.id, /^[0-9a-f]{32}$/)
    assert.ok(job.pid > 1)
    for (const time of [job.createTime, job.startTime, job.finishTime]) assert.ok(Date.parse(time) > 1.7e12)
    assert.ok(isInOrder(job.createTime, job.startTime, job.finishTime))
    const { id, pid, createTime, startTime, finishTime, ...rest } = job
    assert.deepEqual(rest, {
      cmd: 'echo out; echo err >&2',
      params: '; echo $NEWDT_AUTO_JOB_ID',
      scriptName: '',
      scriptContent: '',
      scriptType: '',
      scriptPath: '',
      async: false,
      state: 'success',
      stdout: `out\n${id}\n`,
      stderr: 'err\n',
      exitCode: 0,
      execCmd: 'echo out; echo err >&2 ; echo $NEWDT_AUTO_JOB_ID',
      error: '',
      reason: 'exited',
      signal: '',
      stdoutBytes: 4 + id.length + 1,
      stderrBytes: 4,
      droppedBytes: 0,
      encoding: 'utf-8',
      cpu: job.cpu,
      leftovers: 0,
      livingLeftovers: 0,
      survivors: [],
      caller: 'test',
      client: '127.0.0.1',
      labels: {},
      user: '',
      limits: {},
      usage: job.usage,
      notify: null,
      queue: null,
    })
    const { memory, peakMemory, peakProcesses } = job.usage
    assert.deepEqual([memory, peakMemory, peakProcesses], [null, null, null])
    assert.ok(Math.abs(job.usage.cpu! - job.cpu.user - job.cpu.system) < 1e-6)
    assert.ok(job.cpu.user >= 0 && job.cpu.user + job.cpu.system > 0)
  })

  for (const [name, cmd, expected] of [
    ['a non-zero exit code', 'exit 123', [123, 'exit status 123', 'exited', '']],
    ['a signal', 'kill $$', [0, 'signal: terminated', 'signaled', 'SIGTERM']],
    ['a real-time signal', 'kill -34 $$', [0, 'signal: signal 34', 'signaled', 'SIGRTMIN']],
    ['a command that does not exist', 'no-such-command 2>/dev/null', [127, 'exit status 127', 'exited', '']],
    ['a command that begins with a dash', '-x 2>/dev/null', [127, 'exit status 127', 'exited', '']],
  ] as const) {
    test(`${name} makes a failed job`, async () => {
      const { state, exitCode, error, reason, signal } = await agent.run({ cmd })
      assert.deepEqual([state, exitCode, error, reason, signal], ['failed', ...expected])
    })
  }

  test('a job that could not be started is failed, with all times set and no pid', async () => {
    const job = await agent.run({ cmd: 'true', cwd: '/nope' })
    const { state, pid, exitCode, error, reason } = job
    const expected = ['failed', 0, 0, 'chdir /nope: no such file or directory', 'start-failed']
    assert.deepEqual([state, pid, exitCode, error, reason], expected)
    for (const time of [job.createTime, job.startTime, job.finishTime]) assert.notEqual(time, ZERO_TIME)
  })

  test('a running job shows its pid, its output so far and no finish time; then it shows its end', async () => {
    const id = await agent.start({ cmd: 'echo begun; read -r < /proc/self/fd/0; sleep 1000' })
    const job = await waitFor('its output so far', async () => {
      const seen = (await jobs.get(id))!
      return seen.stdout !== '' && seen
    })
    assert.deepEqual([job.state, job.stdout, job.finishTime], ['running', 'begun\n', ZERO_TIME])
    assert.ok(job.pid > 1)
    process.kill(job.pid, 'SIGKILL')
    await jobs.waitForEnd(id)
    const { state, error, pid, stdout } = (await jobs.get(id))!
    assert.deepEqual([state, error, pid, stdout], ['failed', 'signal: killed', job.pid, 'begun\n'])
  })

  test('waiting for the end of a running job ends when the time is up', async () => {
    const id = await agent.start({ cmd: 'sleep 1000' })
    await jobs.waitForEnd(id, 20)
    assert.equal((await jobs.get(id))?.state, 'running')
    await jobs.cancel(id)
    await jobs.waitForEnd(id, 60_000)
    await jobs.waitForEnd('0'.repeat(32))
  })

  test('a canceled job is told so with the way it ended, and a second cancel is refused', async () => {
    const id = await agent.start({ cmd: 'echo a; sleep 1000 & wait' })
    const { state, reason, error, signal, exitCode } = await jobs.cancel(id)
    assert.deepEqual(
      [state, reason, error, signal, exitCode],
      ['canceled', 'canceled', 'signal: terminated', 'SIGTERM', 0],
    )
    await assert.rejects(jobs.cancel(id), failsWith('job-ended'))
    await assert.rejects(jobs.cancel('0'.repeat(32)), failsWith('unknown-job'))
  })

  test('a job that answers TERM with an exit code of its own is still canceled', async () => {
    const id = await agent.start({ cmd: "trap 'exit 0' TERM; echo ready; while :; do sleep 0.01; done" })
    await waitFor('the trap is set', async () => (await jobs.get(id))?.stdout)
    const { state, exitCode, error } = await jobs.cancel(id)
    assert.deepEqual([state, exitCode, error], ['canceled', 0, 'canceled'])
  })

  test('a timeout stops all processes of a job and is the reason of its end', async () => {
    const timeout = { text: '50ms', ms: 50 }
    const killed = await agent.run({ cmd: 'setsid sleep 1000 & sleep 1000', timeout })
    assert.deepEqual([killed.state, killed.reason, killed.error], ['failed', 'timeout', 'signal: terminated'])
    const exited = await agent.run({
      cmd: "trap 'exit 0' TERM; while :; do sleep 0.01; done",
      timeout: { text: '2s', ms: 300 },
    })
    assert.deepEqual([exited.state, exited.reason, exited.error], ['failed', 'timeout', 'timed out after 2s'])
  })

  test('a background child does not hold up the end of a job, and lives on', async () => {
    const job = await agent.run({ cmd: 'sleep 1000 & echo $!' })
    assert.equal(job.state, 'success')
    const child = Number(job.stdout)
    process.kill(child, 0)
    process.kill(child, 'SIGKILL')
  })

  test('a script is run from a file that only its owner can use and that is gone afterwards', async () => {
    const request = {
      params: "a 'b c'",
      script: script('stat -c %a "$0"; echo "$0|$#|$2"', 'shell', ['a', 'b c']),
    }
    const job = await agent.run(request)
    assert.match(job.scriptPath, /\/newdt-auto-\d{10}-x\.sh$/)
    assert.equal(job.stdout, `700\n${job.scriptPath}|2|b c\n`)
    assert.equal(job.execCmd, `bash ${job.scriptPath} a 'b c'`)
    assert.deepEqual([job.scriptName, job.scriptType, job.scriptContent], ['x.sh', 'shell', ''])
    assert.deepEqual(agent.scripts(), [])
  })

  test('a python script runs under python3', async () => {
    const job = await agent.run({
      script: script('import sys; print(sys.argv[1:]); sys.exit(3)', 'python', ['é']),
    })
    assert.deepEqual([job.stdout, job.exitCode], ["['é']\n", 3])
    assert.equal(job.execCmd, `python3 ${job.scriptPath} `)
  })

  test('a missing interpreter makes a failed job that says so', async () => {
    // posix_spawnp looks in the agent's own PATH.
    const path = process.env.PATH
    process.env.PATH = '/nope'
    try {
      const job = await agent.run({ script: script('1', 'python') })
      assert.equal(job.error, 'exec: "python3": executable file not found in $PATH')
      assert.deepEqual([job.state, job.reason], ['failed', 'start-failed'])
    } finally {
      process.env.PATH = path
    }
    assert.deepEqual(agent.scripts(), [])
  })

  test('standard input, environment and directory are those of the request', async () => {
    const env = { X: 'é', LD_PRELOAD: '', BASH_ENV: '/nope', IFS: ':' }
    const job = await agent.run({ cmd: 'cat; echo "$X$BASH_ENV"; pwd', stdin: '输入\n', env, cwd: '/usr' })
    assert.equal(job.stdout, '输入\né/nope\n/usr\n')
  })

  test('the same key and request give the first job back, another request is refused', async () => {
    const key = (requestHash: Uint8Array) => ({ key: 'k1', requestHash })
    const first = await jobs.submit(requestOf({ cmd: 'echo $RANDOM' }), key(hash('a')))
    const again = await jobs.submit(requestOf({ cmd: 'echo $RANDOM' }), key(hash('a')))
    assert.equal(again.id, first.id)
    await assert.rejects(jobs.submit(requestOf({ cmd: 'true' }), key(hash('b'))), failsWith('key-reused'))
    await jobs.waitForEnd(first.id)
    assert.equal((await jobs.submit(requestOf({}), key(hash('a')))).id, first.id)
  })

  test('a thousand failed starts leave every slot free and no descriptor open', async () => {
    await agent.run({ cmd: 'true' })
    const before = openDescriptors()
    for (let index = 0; index < 1000; index++) {
      const job = await agent.run(
        index % 2 ? { cmd: 'true', cwd: '/nope' } : { cmd: 'x'.repeat(131_072), stdin: 'x' },
      )
      assert.equal(job.reason, 'start-failed')
    }
    assert.equal(jobs.countRunning(), 0)
    await waitFor('descriptors are closed', () => openDescriptors() <= before)
  })

  test('what a client is told of a running job an agent after this one knows, too', async () => {
    const { id } = await jobs.submit(requestOf({ cmd: 'exec sleep 1000', async: true }))
    const open = agent.service.open(id)!
    const told = (await open.now())!.job
    open.close()
    const stored = agent.jobStore.find(id)!.job
    assert.ok(told.state === 'running' && stored.state === 'running' && told.pid > 1)
    assert.deepEqual([stored.pid, stored.startTime], [told.pid, told.startTime])
    await jobs.cancel(id)
  })

  test('the log names jobs and ends, but no command, output or environment', async () => {
    const secret = 'do-not-log-this'
    await agent.run({ cmd: `echo ${secret}`, env: { X: secret }, stdin: secret })
    await agent.run({ script: script(`echo ${secret}`) })
    assert.ok(
      agent.lines.some(({ message, fields }) => message === 'job ended' && fields.state === 'success'),
    )
    assert.ok(!JSON.stringify(agent.lines).includes(secret))
  })
})
