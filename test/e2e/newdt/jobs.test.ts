import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { json } from 'node:stream/consumers'
import { after, before, describe, test } from 'node:test'
import { RUNNING_EXAMPLE } from '../../../handlers/openapi/job-examples.ts'
import { createHome, type RunningAgent, SECRET, startAgent } from '../../support/agent.ts'
import { newdt, startNewdt } from '../../support/newdt.ts'
import { runVerb } from '../../support/run-verb.ts'
import { waitFor } from '../../support/wait-for.ts'

const home = createHome()
let agent: RunningAgent
let env: Record<string, string>

before(async () => {
  agent = await startAgent(home)
  env = { NEWDT_HOST: agent.url, NEWDT_SECRET: SECRET }
})
after(() => agent.end())

const ask = (...args: string[]) => newdt(args, { env })
const submit = async (cmd: string): Promise<string> => (await agent.execute({ cmd, async: true })).id

describe('newdt ps', () => {
  test('lists what runs, and more when asked', async () => {
    const ok = (await agent.execute({ cmd: 'true', labels: { env: 'prod' } })).id
    const bad = (await agent.execute({ cmd: 'echo "\u001b[31m red"; exit 9' })).id
    const id = await submit('sleep 300')
    const running = await ask('ps')
    assert.match(
      running.stdout,
      /^ID +STATE +EXIT +CREATED +DURATION +CALLER +COMMAND\n\w{12,} +running +- .*sleep 300\n$/,
    )
    assert.equal((await ask('ps', '-q')).stdout, `${id}\n`)
    assert.equal((await ask('ps', '-a', '-q')).stdout, `${id}\n${bad}\n${ok}\n`)
    assert.equal((await ask('ps', '-a', '-q', '-n', '2')).stdout, `${id}\n${bad}\n`)
    const failed = await ask('ps', '--failed', '--since', '1h')
    assert.match(failed.stdout, /\n\w{12,} +failed +9 .* echo "\\e\[31m red"; exit 9\n$/)
    assert.equal((await ask('ps', '-a', '-q', '--label', 'env=prod')).stdout, `${ok}\n`)
    assert.equal((await ask('ps', '-a', '-q', '--grep', 'RED')).stdout, `${bad}\n`)
    assert.equal((await ask('ps', '-q', '--state', 'success,failed')).stdout, `${bad}\n${ok}\n`)
    const lines = (await ask('ps', '-a', '-o', 'jsonl')).stdout.trim().split('\n')
    assert.deepEqual(
      lines.map(line => JSON.parse(line).id),
      [id, bad, ok],
    )
    const wrong = await ask('ps', '--state', 'lost')
    assert.deepEqual(
      [wrong.code, wrong.stderr.startsWith('newdt: invalid request: state must be')],
      [2, true],
    )
    assert.equal((await ask('cancel', id)).stdout, `${id}\n`)
  })

  test('shows colours on a terminal, unless NO_COLOR says not to', async () => {
    const { ended } = startNewdt(['ps', '-a'], { env, terminal: true })
    assert.match((await ended).stdout.toString(), /\u001b\[/)
    const plain = await startNewdt(['ps', '-a'], { env: { ...env, NO_COLOR: '1' }, terminal: true }).ended
    assert.doesNotMatch(plain.stdout.toString(), /\u001b\[/)
    assert.doesNotMatch((await ask('ps', '-a')).stdout, /\u001b\[/)
  })

  test('more than a page of jobs is listed whole', async () => {
    for (let batch = 0; batch < 52; batch++) {
      await Promise.all(
        Array.from({ length: 4 }, () => agent.execute({ cmd: 'true', labels: { many: 'x' } })),
      )
    }
    const { stdout } = await ask('ps', '-a', '-q', '--label', 'many=x', '-n', '500')
    const ids = stdout.trim().split('\n')
    assert.equal(new Set(ids).size, 208)
  })
})

describe('newdt logs', () => {
  test('prints each stream to its own, from the beginning or the last lines', async () => {
    const { id } = await agent.execute({
      cmd: 'for i in 1 2 3; do echo $i; sleep 0.05; echo e$i >&2; sleep 0.05; done',
    })
    const all = await ask('logs', id.slice(0, 31))
    assert.deepEqual(all, { code: 0, stdout: '1\n2\n3\n', stderr: 'e1\ne2\ne3\n' })
    assert.deepEqual(await ask('logs', '-n', '3', id), { code: 0, stdout: '3\n', stderr: 'e2\ne3\n' })
    assert.deepEqual(await ask('logs', '--stderr', id), { code: 0, stdout: '', stderr: 'e1\ne2\ne3\n' })
    const { stdout } = await ask('logs', '-t', '--stdout', id)
    assert.match(stdout, /^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d+(Z|[+-]\d\d:\d\d) [123]\n){3}$/)
  })

  test('of a running job ends with what there is, and with -f goes on to its end', async () => {
    const id = await submit('echo now; sleep 300')
    await waitFor('the job has written', async () => (await agent.job(id)).stdout === 'now\n')
    assert.deepEqual(await ask('logs', id), { code: 0, stdout: 'now\n', stderr: '' })
    const live = startNewdt(['logs', '-f', id], { env })
    await live.printed(/now/)
    await ask('cancel', id)
    const { code, stderr } = await live.ended
    assert.deepEqual([code, stderr.toString()], [0, `newdt: job ${id} was canceled: signal: terminated\n`])
  })

  test('says that there is no such job, and that several begin so', async () => {
    assert.deepEqual(await ask('logs', 'ffff'), {
      code: 1,
      stdout: '',
      stderr: 'newdt: there is no such job; newdt ps -a lists those that are kept\n',
    })
    assert.match((await ask('logs', '0')).stderr, /^newdt: several jobs begin with 0; type more of it\n$/)
  })
})

describe('newdt with jobs', () => {
  test('wait prints how each ended, and ends as the first that was no success', async () => {
    const ids = [await submit('true'), await submit('exit 4'), await submit('kill -9 $$')]
    const { code, stdout } = await ask('wait', ...ids)
    assert.equal(code, 4)
    assert.equal(
      stdout,
      `${ids[0]} success\n${ids[1]} failed (exit status 4)\n${ids[2]} failed (signal: killed)\n`,
    )
  })

  test('wait prints jobs as JSON for programs', async () => {
    const ids = [await submit('exit 4'), await submit('echo out')]
    const wait = (format: string) => runVerb(['wait', '-o', format, ...ids], env)
    const array = await wait('json')
    assert.equal(array.code, 4)
    const jobs = JSON.parse(array.stdout)
    assert.deepEqual(jobs, [await agent.job(ids[0]!), { ...(await agent.job(ids[1]!, '?output=false')) }])
    const lines = (await wait('jsonl')).stdout.trim().split('\n')
    assert.deepEqual(
      lines.map(line => JSON.parse(line)),
      jobs,
    )
  })

  test('signal reaches the job; one that has ended is told of, and the others go on', async () => {
    const ended = (await agent.execute({ cmd: 'true' })).id
    const id = await submit("trap 'echo got it; exit' USR1; echo ready; while :; do sleep 0.02; done")
    await waitFor('the job is ready', async () => (await agent.job(id)).stdout === 'ready\n')
    const { code, stdout, stderr } = await ask('signal', '-s', 'USR1', ended, id)
    assert.deepEqual([code, stdout], [1, `${id}\n`])
    assert.match(stderr, new RegExp(`^newdt: ${ended}: .*\n$`))
    assert.equal((await agent.job(id, '?wait=20s')).stdout, 'ready\ngot it\n')
    assert.equal((await ask('signal', id)).code, 2)
  })

  test('inspect prints the job as JSON, its output when asked', async () => {
    const job = await agent.execute({ cmd: 'echo out' })
    assert.deepEqual(
      JSON.parse((await ask('inspect', '--with-output', job.id)).stdout),
      await agent.job(job.id),
    )
    const [line, ...more] = (await ask('inspect', '-o', 'jsonl', job.id)).stdout.trim().split('\n')
    assert.deepEqual([JSON.parse(line!).stdout, more], ['', []])
  })

  test('top shows the processes, once where there is no terminal', async () => {
    const id = await submit('sleep 300 & wait')
    await waitFor(
      'it has forked',
      async () => ((await agent.call(`/api/jobs/${id}/processes`)).data as unknown[]).length > 1,
    )
    const { code, stdout } = await ask('top', id)
    assert.equal(code, 0)
    assert.match(
      stdout,
      /^\w{32} {2}running for .*\nsleep 300 & wait\n\nPID +PPID +STATE +CPU% +TIME +RSS +COMMAND\n/,
    )
    assert.match(stdout, / bash\n/)
    const live = startNewdt(['top', id], { env, terminal: true })
    await live.printed(/\u001b\[H\u001b\[J[\s\S]*bash[\s\S]*\u001b\[H\u001b\[J/)
    await ask('cancel', id)
    assert.match((await live.ended).stdout.toString(), /canceled signal: terminated/)
  })

  test('rerun runs the same command with its labels, and says that a script is not kept', async () => {
    const { id } = await agent.execute({
      cmd: 'echo again',
      params: '$((1 + 1))',
      labels: { nightly: 'yes' },
    })
    assert.deepEqual(await ask('rerun', id), { code: 0, stdout: 'again 2\n', stderr: '' })
    assert.equal((await ask('ps', '-a', '-q', '--label', 'nightly=yes')).stdout.trim().split('\n').length, 2)
    const script = await agent.execute({ scriptName: 'x.sh', scriptType: 'shell', scriptContent: 'true' })
    const refused = await ask('rerun', script.id)
    assert.deepEqual([refused.code, refused.stdout], [125, ''])
    assert.match(refused.stderr, /was the script x\.sh, and scripts are not kept: use newdt script\n$/)
  })

  test('rerun runs a command as the user that it ran as, and never as another', async () => {
    const requests: Record<string, unknown>[] = []
    const old = {
      ...RUNNING_EXAMPLE,
      cmd: 'true',
      user: 'deploy',
      limits: { memory: 4 << 20, nice: 5 },
    }
    const { id } = old
    const server = createServer(async (request, response) => {
      if (request.method === 'POST') requests.push((await json(request)) as Record<string, unknown>)
      response.end(JSON.stringify({ code: 0, success: true, msg: '', data: old }))
    }).listen(0, '127.0.0.1')
    await once(server, 'listening')
    const { port } = server.address() as AddressInfo
    const host = ['--host', `http://127.0.0.1:${port}`]
    try {
      await ask('rerun', id, '-d', ...host)
      await ask('rerun', id, '-d', '--user', 'app', '--memory', '8m', ...host)
    } finally {
      server.close()
    }
    assert.deepEqual(
      requests.map(({ user, limits }) => [user, limits]),
      [
        ['deploy', { memory: 4 << 20, nice: 5 }],
        ['app', { memory: '8mb', nice: 5 }],
      ],
    )
  })

  test('sign prints what curl needs, of either kind', async () => {
    const { stdout } = await ask('sign', 'GET', '/api/jobs/countOfRunningJobs')
    const url = `${agent.url}/api/jobs/countOfRunningJobs`
    const shell = (command: string) => ask('run', '--', command)
    assert.match((await shell(`curl -s ${stdout.trim()} ${url}`)).stdout, /^\{"code":0/)
    const config = await ask('sign', '--config', '--signature', 'contract', 'GET', '/api/jobs')
    assert.match((await shell(`curl -s -K <(printf '%s' '${config.stdout}') ${url}`)).stdout, /^\{"code":0/)
    const body = '{"cmd": "echo signed"}'
    const post = await ask(
      'sign',
      'POST',
      '/api/jobs/execute/cmd',
      '-d',
      body,
      '--idempotency-key',
      "it's one",
    )
    const sent = `curl -s ${post.stdout.trim()} -H 'Content-Type: application/json' -d '${body}' ${agent.url}/api/jobs/execute/cmd`
    assert.equal(JSON.parse((await shell(sent)).stdout).data.stdout, 'signed\n')
  })
})

describe('newdt, a connection that breaks', () => {
  test('logs -f goes on when the agent was killed and started again', async () => {
    const port = new URL(agent.url).port
    const id = await submit('for i in {1..20}; do echo $i; done; sleep 300')
    const live = startNewdt(['logs', '-f', id], { env })
    await live.printed(/^20$/m)
    await agent.end('SIGKILL')
    agent = await startAgent(home, { env: { AGENT_PORT: port } })
    const { code, stdout, stderr } = await live.ended
    assert.equal(code, 0)
    assert.equal(stdout.toString(), Array.from({ length: 20 }, (_, index) => `${index + 1}\n`).join(''))
    assert.equal(stderr.toString(), `newdt: job ${id} was lost with its agent\n`)
  })

  test('drain lets the agent end', async () => {
    const { code, stdout } = await ask('drain')
    assert.deepEqual([code, stdout], [0, `${new URL(agent.url).host}: takes no new jobs, ends now\n`])
    assert.equal((await agent.ended).code, 0)
    await home.assertClean()
  })
})
