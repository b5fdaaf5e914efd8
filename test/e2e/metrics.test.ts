import assert from 'node:assert/strict'
import { spawn, spawnSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, type TestContext, test } from 'node:test'
import { createHome, ROOT, startAgent } from '../support/agent.ts'
import { isInstalled } from '../support/is-installed.ts'
import { know, lives } from '../support/proc.ts'
import { waitFor } from '../support/wait-for.ts'

const promtool = (input: string, ...args: string[]) => {
  const { status, stdout, stderr } = spawnSync('promtool', args, { input, encoding: 'utf8' })
  return { status, said: stdout + stderr }
}

/** Where the agent says that it serves its metrics. */
const metricsAddress = (stdout: string): string | undefined =>
  stdout
    .split('\n')
    .filter(line => line.includes('"msg":"metrics"'))
    .map(line => (JSON.parse(line) as { address: string }).address)[0]

const startPrometheus = async (t: TestContext, directory: string, target: string) => {
  const config = join(directory, 'prometheus.yml')
  writeFileSync(
    config,
    `scrape_configs: [{job_name: newdt, scrape_interval: 200ms, scrape_timeout: 200ms, static_configs: [{targets: ["${target}"]}]}]\nrule_files: ["${ROOT}/docs/prometheus-alerts.yml"]\n`,
  )
  const options = [
    `--config.file=${config}`,
    `--storage.tsdb.path=${directory}/tsdb`,
    '--web.listen-address=127.0.0.1:0',
  ]
  const child = spawn('prometheus', options, { stdio: ['ignore', 'ignore', 'pipe'] })
  const known = know(child.pid!)
  t.after(async () => {
    child.kill('SIGKILL')
    await waitFor('Prometheus is gone', () => !lives(known))
  })
  let said = ''
  child.stderr.on('data', chunk => {
    said += chunk
  })
  const address = await waitFor(
    'Prometheus listens',
    () =>
      /msg="Listening on" address=(\S+)/.exec(said)?.[1] ?? /address=(127\.0\.0\.1:[1-9]\d*)/.exec(said)?.[1],
    30_000,
  )
  return async (query: string): Promise<string | undefined> => {
    const response = await fetch(`http://${address}/api/v1/query?query=${encodeURIComponent(query)}`)
    if (!response.ok) return undefined // It is still starting.
    const { data } = (await response.json()) as { data: { result: { value: [number, string] }[] } }
    return data.result[0]?.value[1]
  }
}

describe('the metrics of an agent', () => {
  const home = createHome()

  test('are what promtool accepts, and what a Prometheus scrapes from an address of their own', async t => {
    const agent = await startAgent(home, { env: { AGENT_METRICS_LISTEN: '127.0.0.1:0' } })
    await agent.execute({ cmd: 'exit 3' })
    const address = await waitFor('the address is told', () => metricsAddress(agent.output().stdout))
    const text = await (await fetch(address)).text()
    assert.match(text, /^newdt_jobs_total\{state="failed",reason="exited"\} 1$/m)
    assert.match(await (await agent.fetch('/metrics')).text(), /^newdt_http_requests_total/m)
    for (const path of ['/', '/api/jobs', '/metrics/'])
      assert.equal((await fetch(new URL(path, address))).status, 404)
    assert.equal((await fetch(address, { method: 'POST' })).status, 404)

    if (isInstalled('promtool', 'prometheus')) {
      assert.deepEqual(promtool(text, 'check', 'metrics'), { status: 0, said: '' })
      assert.equal(promtool('', 'check', 'rules', join(ROOT, 'docs/prometheus-alerts.yml')).status, 0)
      const query = await startPrometheus(t, home.path, new URL(address).host)
      await waitFor(
        'it is scraped',
        async () => (await query('newdt_jobs_total{reason="exited"}')) === '1',
        30_000,
      )
      assert.equal(await query('newdt_jobs_limit'), '5')
    } else t.diagnostic('no Prometheus is installed')
    await agent.end()
    await assert.rejects(fetch(address))
  })

  test('are for whom AGENT_ALLOW has, and for this host where they are served to it alone', async () => {
    const AGENT_ALLOW = '192.0.2.0/24'
    for (const [listen, isServed] of [
      ['127.0.0.1:0', true],
      ['0.0.0.0:0', false],
    ] as const) {
      const agent = await startAgent(home, { env: { AGENT_METRICS_LISTEN: listen, AGENT_ALLOW } })
      const address = await waitFor('the address is told', () => metricsAddress(agent.output().stdout))
      const scraped = fetch(address.replace('0.0.0.0', '127.0.0.1')).then(({ ok }) => ok)
      assert.equal(await scraped.catch(() => false), isServed)
      await agent.end()
    }
  })
})
