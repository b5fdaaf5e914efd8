import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { promisify } from 'node:util'
import type { JobJson } from '../../handlers/jobs/job-json.ts'
import { createHome, type Envelope, ROOT, type RunningAgent, startAgent } from '../support/agent.ts'
import { askByCurl } from '../support/ask-by-curl.ts'
import { waitFor } from '../support/wait-for.ts'

const run = promisify(execFile)

const numbers = (count: number): string => Array.from({ length: count }, (_, index) => `${index}\n`).join('')
const loop = (count: number, then = ''): string =>
  `for ((i=0;i<${count};i++));do echo $i; sleep 1; done;${then}`
const TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,6})?(Z|[+-]\d\d:\d\d)$/

/** Every example of the contract, in its order, by curl and the contract's own signing script. */
describe('the contract', () => {
  const home = createHome()
  let agent: RunningAgent

  before(async () => {
    const path = `${join(ROOT, 'test/fixtures/fast')}:${process.env.PATH}`
    agent = await startAgent(home, { env: { PATH: path } })
  })
  after(async () => {
    await agent.end()
    await home.assertClean()
    home.remove()
  })

  const signature = async (): Promise<string> => {
    const { stdout } = await run('bash', [join(ROOT, 'test/fixtures/sign.sh')])
    return stdout.split('\n')[0]!
  }

  const curl = async (...args: string[]): Promise<unknown> =>
    JSON.parse((await askByCurl('--max-time', '60', ...args)).body)

  const get = async (path: string) => (await curl(`${agent.url}${path}?${await signature()}`)) as Envelope
  const post = async (path: string, body: object) =>
    await curl(
      '-X',
      'POST',
      `${agent.url}${path}?${await signature()}`,
      '-H',
      'Content-Type: application/json',
      '-d',
      JSON.stringify(body),
    )
  const execute = async (kind: 'cmd' | 'script', body: object): Promise<JobJson> => {
    const { data, ...envelope } = (await post(`/api/jobs/execute/${kind}`, body)) as Envelope
    assert.deepEqual(envelope, { code: 0, success: true, msg: '' })
    return data as JobJson
  }
  const jobOf = async (id: string): Promise<JobJson> => (await get(`/api/jobs/${id}`)).data as JobJson
  const endOf = (id: string): Promise<JobJson> =>
    waitFor(`job ${id} has ended`, async () => {
      const job = await jobOf(id)
      return job.state !== 'running' && job
    })

  /** The contract's fields in its order; those that differ from run to run are checked by their form. */
  const assertJob = (job: JobJson, expected: Partial<JobJson>): void => {
    const names =
      'id cmd params scriptName scriptContent scriptType scriptPath async pid state stdout stderr exitCode execCmd error createTime startTime finishTime'
    assert.deepEqual(Object.keys(job).slice(0, 18), names.split(' '))
    assert.match(job.id, /^[0-9a-f]{32}$/)
    assert.ok(Number.isInteger(job.pid) && job.pid > 1)
    assert.match(job.createTime, TIME)
    assert.match(job.startTime, TIME)
    assert.match(job.finishTime, TIME)
    assert.deepEqual({ ...job, ...expected }, job)
  }

  const script = (content: string, async: boolean) =>
    ({ scriptName: 'x.sh', scriptContent: content, scriptType: 'shell', async }) as const

  const scriptJob = {
    cmd: '',
    params: '',
    scriptName: 'x.sh',
    scriptContent: '',
    scriptType: 'shell',
  } as const

  test('签名生成: both the query and the headers are accepted', async () => {
    const { stdout } = await run('bash', [join(ROOT, 'test/fixtures/sign.sh')])
    const [query, headers] = stdout.trim().split('\n')
    const inQuery = await run('bash', ['-c', `curl -sS '${agent.url}/api/jobs/countOfRunningJobs?${query}'`])
    const inHeader = await run('bash', ['-c', `curl -sS ${agent.url}/api/jobs/countOfRunningJobs ${headers}`])
    const expected = { code: 0, success: true, msg: '', data: 0 }
    assert.deepEqual([JSON.parse(inQuery.stdout), JSON.parse(inHeader.stdout)], [expected, expected])
  })

  test('同步执行命令', async () => {
    const job = await execute('cmd', { cmd: loop(10), async: false })
    assertJob(job, {
      cmd: loop(10),
      params: '',
      scriptName: '',
      scriptContent: '',
      scriptType: '',
      scriptPath: '',
      async: false,
      state: 'success',
      stdout: numbers(10),
      stderr: '',
      exitCode: 0,
      execCmd: loop(10),
      error: '',
    })
  })

  test('异步执行命令', async () => {
    const { id, pid } = await execute('cmd', { cmd: loop(50), async: true })
    const facts = {
      id,
      pid,
      cmd: loop(50),
      execCmd: loop(50),
      async: true,
      stderr: '',
      exitCode: 0,
      error: '',
    }
    const running = await jobOf(id)
    assertJob(running, { ...facts, state: 'running', finishTime: '0001-01-01T00:00:00Z' })
    assert.ok(numbers(50).startsWith(running.stdout))
    assertJob(await endOf(id), { ...facts, state: 'success', stdout: numbers(50) })
  })

  test('同步执行脚本', async () => {
    const job = await execute('script', script(loop(10), false))
    assert.match(job.scriptPath, /\/newdt-auto-\d+-x\.sh$/)
    const execCmd = `bash ${job.scriptPath} `
    assertJob(job, {
      ...scriptJob,
      async: false,
      state: 'success',
      stdout: numbers(10),
      exitCode: 0,
      execCmd,
      error: '',
    })
  })

  test('脚本或命令的 exit code 为非 0 值', async () => {
    const job = await execute('script', script(`${loop(10)} exit 123`, false))
    const execCmd = `bash ${job.scriptPath} `
    const end = {
      state: 'failed',
      stdout: numbers(10),
      stderr: '',
      exitCode: 123,
      error: 'exit status 123',
    } as const
    assertJob(job, { ...scriptJob, ...end, async: false, execCmd })
  })

  test('任务的进程被 kill', async () => {
    const { id, pid, scriptPath } = await execute('script', script(loop(50), true))
    await waitFor('it has printed', async () => (await jobOf(id)).stdout)
    await run('bash', ['-c', `kill ${pid}`])
    const job = await endOf(id)
    const end = { state: 'failed', stderr: '', exitCode: 0, error: 'signal: terminated' } as const
    assertJob(job, { ...scriptJob, ...end, id, pid, scriptPath, async: true, execCmd: `bash ${scriptPath} ` })
    assert.ok(numbers(50).startsWith(job.stdout) && job.stdout !== numbers(50))
  })

  test('任务数量限制', async () => {
    const body = script(`${loop(50)} exit 123`, true)
    const ids: string[] = []
    for (let count = 0; count < 5; count++) ids.push((await execute('script', body)).id)
    assert.deepEqual(await get('/api/jobs/countOfRunningJobs'), { code: 0, success: true, msg: '', data: 5 })
    const { id, ...answer } = (await post('/api/jobs/execute/script', body)) as { id: string }
    assert.deepEqual(answer, {
      code: 1,
      success: false,
      msg: '有 5 个任务正在执行，不能执行新任务，请稍后再尝试',
    })
    assert.equal((await jobOf(id)).state, 'rejected')
    for (const id of ids) assert.equal((await endOf(id)).exitCode, 123)
    assert.equal((await get('/api/jobs/countOfRunningJobs')).data, 0)
    assert.equal((await execute('script', script('true', false))).state, 'success')
  })

  test('退出 Agent', async () => {
    const jobs = [1, 2, 3].map(() => execute('script', script(loop(100), true)))
    const paths = (await Promise.all(jobs)).map(({ scriptPath }) => scriptPath)
    const { stdout } = await run('ps', ['-eo', 'args'])
    for (const path of paths) assert.ok(stdout.split('\n').includes(`bash ${path}`))
    const { code } = await agent.end()
    assert.equal(code, 0)
    const after = await run('ps', ['-eo', 'args'])
    for (const path of paths) assert.ok(!after.stdout.includes(path))
  })
})
