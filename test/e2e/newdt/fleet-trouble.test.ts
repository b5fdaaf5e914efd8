import assert from 'node:assert/strict'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { createHome, type RunningAgent, SECRET } from '../../support/agent.ts'
import { createPublisher } from '../../support/fleet-queue.ts'
import { NATS_TEST, type NatsServer, startNatsServer } from '../../support/nats-server.ts'
import { newdt, startNewdt } from '../../support/newdt.ts'
import { startFleetAgent } from '../../support/start-fleet-agent.ts'
import { waitFor } from '../../support/wait-for.ts'

describe('newdt tells of a fleet', NATS_TEST, () => {
  const config = createHome()
  const env = { XDG_CONFIG_HOME: config.path, NEWDT_FLEET: 'prod' }
  const agents: RunningAgent[] = []
  let engine: NatsServer

  before(async () => {
    engine = await startNatsServer()
    mkdirSync(join(config.path, 'newdt'))
    writeFileSync(
      join(config.path, 'newdt/hosts.toml'),
      `[hosts.web1]\nurl = "http://127.0.0.1:9"\ntoken = "t"\n[fleets.prod]\nurl = "${engine.url}"\nkey = "default"\nsecret = "${SECRET}"\n`,
      { mode: 0o600 },
    )
    await createPublisher(engine, { ackWaitMs: 3000, labels: [{ name: 'role', value: 'lone' }] })
    for (const name of ['db1', 'db2']) agents.push(await start(name, 'role=db'))
  })
  after(async () => {
    await Promise.all(agents.map(agent => agent.end()))
    await engine[Symbol.asyncDispose]()
    config.remove()
  })

  const start = (name: string, labels: string) =>
    startFleetAgent(engine, name, { env: { AGENT_LABELS: labels } })
  const ask = (...args: string[]) => newdt(args, { env })

  test('that has fewer hosts than expected: nothing is run', async () => {
    const marker = join(config.path, 'marker')
    for (const where of [
      ['--on', 'role=db'],
      ['--hosts', 'db*'],
    ]) {
      const few = await ask('run', ...where, '--expect', '3', '--', 'touch', marker)
      assert.equal(few.code, 125)
      assert.match(few.stderr, /^newdt: 3 hosts are expected, and 2 are there: db1, db2; nothing was run\n$/)
      assert.equal((await ask('run', ...where, '--expect', '2', '--', '[', '!', '-e', marker, ']')).code, 0)
    }
    assert.match(
      (await ask('run', 'db1', '--expect', '2', '--', 'true')).stderr,
      /--expect is for --hosts and --on/,
    )
  })

  test('one of whose agents was killed: soon, and that it may come back', async () => {
    const victim = await start('victim', 'role=victim')
    const run = startNewdt(['run', '--on', 'role=victim', '--', 'echo begun; sleep 300'], { env })
    await run.printed(/begun/)
    victim.child.kill('SIGKILL')
    const text = await run.printed(/no sign of life/)
    assert.match(text, /newdt: victim: no sign of life, it is looked for until \d\d:\d\d:\d\d\n/)
    run.child.kill('SIGINT')
    assert.equal((await run.ended).code, 130)
    assert.doesNotMatch(run.text(), /did you mean/)
  })

  test('that has nobody with a label: when a job is to wait for it, and while it waits', async () => {
    const { code, stdout, stderr } = await ask('run', '--any', 'role=dbx', '--queue', '-d', '--', 'true')
    const id = stdout.trim()
    assert.deepEqual([code, stderr], [0, `newdt: no agent with role=dbx is there now; ${id} waits for one\n`])
    assert.match(
      (await ask('queue', 'ls')).stdout,
      / waiting +role=dbx .* no agent has role=dbx; expires in /,
    )
    await ask('queue', 'cancel', id)
  })

  test('a job whose agent is not there', async () => {
    const lone = await start('lone1', 'role=lone')
    const id = (
      await ask('run', '--any', 'role=lone', '--queue', '--once', '-d', '--', 'sleep 300')
    ).stdout.trim()
    await waitFor('it runs', async () => (await ask('queue', 'ls')).stdout.includes('lone1'))
    assert.doesNotMatch((await ask('queue', 'ls')).stdout, /is not there/)
    lone.child.kill('SIGKILL')
    await lone.ended
    assert.match(
      (await ask('queue', 'ls')).stdout,
      new RegExp(`${id.slice(0, 8)}.* lone1 +lone1 is not there `),
    )
  })

  test('with host ls and host check', async () => {
    const { stdout } = await ask('host', 'ls')
    assert.match(stdout, /\nweb1 +http:\/\/127\.0\.0\.1:9 +token\n/)
    assert.match(stdout, /\nprod \(fleet\) \* +nats:\/\/127\.0\.0\.1:\d+ +secret \(default\)\n$/)
    const checked = await ask('host', 'check', 'db*', '-o', 'json')
    assert.equal(checked.code, 0, checked.stderr)
    const rows = JSON.parse(checked.stdout).map(
      ({ name, key, rights, clockSkewSeconds }: Record<string, unknown>) => ({
        ...{
          name,
          key,
          rights,
          isClose: Math.abs(Number(clockSkewSeconds)) <= 2 && clockSkewSeconds !== null,
        },
      }),
    )
    const own = { key: 'default', rights: null, isClose: true }
    assert.deepEqual(rows, [
      { name: 'db1', ...own },
      { name: 'db2', ...own },
    ])
    const direct = await newdt(['host', 'check', '-o', 'json'], { env: { XDG_CONFIG_HOME: config.path } })
    assert.deepEqual(
      JSON.parse(direct.stdout).map(({ name }: { name: string }) => name),
      ['web1'],
    )
    assert.match(
      (await ask('host', 'use', 'prod')).stderr,
      /prod: that is a fleet, which --fleet prod or NEWDT_FLEET=prod/,
    )
  })

  test('to programs: which host has taken a job, and what states a queued job has', async () => {
    const { stdout } = await ask('run', '--any', 'role=db', '-d', '-o', 'jsonl', '--', 'true')
    const { host, job } = JSON.parse(stdout)
    assert.match(host, /^db[12]$/)
    assert.match(job, /^[0-9a-f]{32}$/)
    const offered = await ask('__complete', '--', 'queue', 'ls', '--state', '')
    assert.match(offered.stdout, /^waiting\t\nrunning\t\nended\t\ndead\t\ncanceled\t\n$/)
    const ofJobs = await ask('__complete', '--', 'ps', '--state', '')
    assert.match(ofJobs.stdout, /^running\t\nsuccess\t/)
  })
})
