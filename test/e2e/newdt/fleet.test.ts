import assert from 'node:assert/strict'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { createHome, type RunningAgent, SECRET, startAgent } from '../../support/agent.ts'
import { NATS_TEST, type NatsServer, startNatsServer } from '../../support/nats-server.ts'
import { newdt, startNewdt } from '../../support/newdt.ts'
import { startFleetAgent } from '../../support/start-fleet-agent.ts'
import { waitFor } from '../../support/wait-for.ts'

/** A user who may look, and no more. */
const CONFIG = `
authorization {
  users = [
    { user: all, password: all }
    { user: reader, password: reader
      permissions { publish: ["newdt.*.*.read", "$SRV.>"], subscribe: ["_INBOX.>"] } }
  ]
}
`

describe('newdt in a fleet', NATS_TEST, () => {
  const config = createHome()
  const env = { XDG_CONFIG_HOME: config.path, NEWDT_FLEET: 'prod' }
  const agents: RunningAgent[] = []
  let engine: NatsServer
  let url: string

  before(async () => {
    engine = await startNatsServer({ config: CONFIG })
    url = engine.url.replace('//', '//all:all@')
    mkdirSync(join(config.path, 'newdt'))
    writeFileSync(
      join(config.path, 'newdt/hosts.toml'),
      `[fleets.prod]\nurl = "${url}"\nsecret = "${SECRET}"\n[fleets.reader]\nurl = "${engine.url.replace('//', '//reader:reader@')}"\nsecret = "${SECRET}"\n`,
      { mode: 0o600 },
    )
    for (const [name, labels] of [
      ['db1', 'role=db,env=prod'],
      ['db2', 'role=db,env=dev'],
      ['builder1', 'role=builder,env=prod'],
    ] as const)
      agents.push(await start(name, labels))
  })
  after(async () => {
    await Promise.all(agents.map(agent => agent.end()))
    await engine[Symbol.asyncDispose]()
  })

  const start = (name: string, labels: string) =>
    startFleetAgent({ url }, name, { env: { AGENT_LABELS: labels, AGENT_MAX_RUNNING: '2' } })
  const ask = (...args: string[]) => newdt(args, { env })
  const asked = async (...args: string[]): Promise<string> => {
    const { code, stdout, stderr } = await ask(...args)
    assert.deepEqual([code, stderr], [0, ''], args.join(' '))
    return stdout
  }

  describe('hosts', () => {
    test('lists every agent with version, labels and slots, wherever the fleet is named', async () => {
      const table = await asked('hosts')
      assert.match(
        table,
        /^NAME +STATE +VERSION +SLOTS +STARTED +LABELS\nbuilder1 +free +\d\S+ +0\/2 +(.* ago|now) +role=builder,env=prod\ndb1 +free .*\ndb2 .*\n$/,
      )
      for (const args of [
        ['--fleet', 'prod', 'hosts', '-q'],
        ['--fleet=prod', 'hosts', '-o', 'jsonl'],
        ['hosts', '--fleet', url, '-o', 'jsonl'],
      ].slice(1)) {
        const { code, stdout } = await newdt(args, { env: { XDG_CONFIG_HOME: config.path } })
        assert.equal(code, 0)
        assert.deepEqual(
          stdout
            .trim()
            .split('\n')
            .map(line => JSON.parse(line).name),
          ['builder1', 'db1', 'db2'],
        )
      }
      const [db1] = JSON.parse(await asked('hosts', '--on', 'role=db', '--on', 'env=prod', '-o', 'json'))
      const { name, labels, running, limit, draining, isDouble } = db1
      assert.deepEqual(
        { name, labels, running, limit, draining, isDouble },
        {
          name: 'db1',
          labels: { role: 'db', env: 'prod' },
          running: 0,
          limit: 2,
          draining: false,
          isDouble: false,
        },
      )
    })

    test('ends with 1 when there is none', async () => {
      const { code, stdout, stderr } = await ask('hosts', '--on', 'role=none')
      assert.deepEqual([code, stdout], [1, ''])
      assert.match(stderr, /^newdt: fleet prod: no agent with role=none is there; /)
      assert.equal((await ask('hosts', '--on', 'role=none', '-o', 'json')).stdout, '[]\n')
    })

    test('points out two agents of one name', async () => {
      const home = createHome()
      const second = await startAgent(home, {
        env: { AGENT_PORT: 'off', AGENT_NATS_URL: url, AGENT_NAME: 'db2' },
      })
      await waitFor('it finds the first', () =>
        second.output().stdout.includes('ANOTHER AGENT HAS THIS NAME'),
      )
      const found: { name: string; isDouble: boolean }[] = JSON.parse(
        (await ask('hosts', '-o', 'json')).stdout,
      )
      assert.deepEqual(
        found.map(({ name, isDouble }) => [name, isDouble]),
        [
          ['builder1', false],
          ['db1', false],
          ['db2', true],
          ['db2', true],
        ],
      )
      const { stdout, stderr } = await ask('hosts')
      assert.match(stdout, /\ndb2 +double /)
      assert.match(stdout, /\ndb2 +free /)
      assert.match(stderr, /^newdt: db2: more than one agent has this name/)
      // It is asked once all the same.
      assert.equal((await asked('ps', '--on', 'env=dev')).trim().split('\n').length, 1)
      await second.end()
    })
  })

  describe('asks one agent by -H, with', () => {
    test('run and script: output byte for byte, each stream to its own, and the exit code', async () => {
      assert.deepEqual(await ask('run', 'db1', '--', 'echo out; echo err >&2; exit 7'), {
        code: 7,
        stdout: 'out\n',
        stderr: 'err\n',
      })
      const { stdout } = await newdt(['script', '-H', 'db2', '-', '--', 'x y'], {
        env,
        input: 'echo "$1 $0"',
      })
      assert.match(stdout, /^x y \S+\n$/)
      const large = await startNewdt(
        ['run', 'db1', '--output-limit', '8mb', '--', 'head -c 3000000 /dev/zero'],
        { env },
      ).ended
      assert.deepEqual([large.code, large.stdout.length], [0, 3_000_000])
    })

    test('all the others', async () => {
      const id = (
        await asked(
          'run',
          '-d',
          '-H',
          'db1',
          '--',
          'trap "echo again" HUP; echo ready; while :; do sleep 0.1; done',
        )
      ).trim()
      await waitFor('it is ready', async () => (await asked('logs', '-H', 'db1', id)) === 'ready\n')
      assert.match(await asked('ps', '-H', 'db1'), new RegExp(`\\n${id.slice(0, 12)} +running `))
      assert.match(await asked('top', '--once', '-H', 'db1', id), /\n\d+ .*bash\n/)
      assert.equal(await asked('signal', '-s', 'hup', '-H', 'db1', id), `${id}\n`)
      await waitFor('it was told', async () => (await asked('logs', '-H', 'db1', id)) === 'ready\nagain\n')
      assert.equal(await asked('cancel', '-H', 'db1', id), `${id}\n`)
      const end = await ask('wait', '-H', 'db1', id)
      assert.match(end.stdout, new RegExp(`^${id} canceled`))
      assert.equal(JSON.parse(await asked('inspect', '-H', 'db1', id)).state, 'canceled')
      const failed = (await ask('run', '-H', 'db2', '-d', '--', 'exit 4')).stdout.trim()
      assert.equal((await ask('rerun', '-H', 'db2', failed)).code, 4)
    })

    test('names that nobody has: the nearest one is told', async () => {
      const { code, stderr } = await ask('run', 'db3', '--', 'true')
      assert.equal(code, 125)
      assert.match(
        stderr,
        /^newdt: db3: no agent of this name is there; did you mean db[12]\?; newdt hosts lists/,
      )
      assert.match(
        (await ask('ps', '-H', 'DB1')).stderr,
        /agents of a fleet are called such as db1, in lower case/,
      )
    })
  })

  describe('finds a job wherever it runs', () => {
    test('by its id, or by what that begins with', async () => {
      const { stdout, stderr } = await ask('run', '-d', '--any', 'role=builder', '--', 'echo here; sleep 300')
      assert.equal(stderr, 'newdt: builder1 has taken it\n')
      const id = stdout.trim()
      const logs = startNewdt(['logs', '-f', id.slice(0, 20)], { env })
      await logs.printed(/here/)
      assert.match(await asked('ps'), new RegExp(`^HOST .*\\nbuilder1 +${id.slice(0, 12)} `))
      assert.equal(JSON.parse(await asked('inspect', id)).id, id)
      assert.equal(await asked('cancel', id), `${id}\n`)
      assert.match((await logs.ended).stderr.toString(), /was canceled/)
      assert.match((await ask('wait', id)).stdout, /canceled/)
      const { code, stderr: unknown } = await ask('logs', '0'.repeat(32))
      assert.equal(code, 1)
      assert.match(unknown, /none of its 3 agents has a job 0+; newdt ps -a lists/)
    })
  })

  test('ps -q prints ids alone, which other verbs take; the name of a host is none', async () => {
    for (const host of ['db1', 'db2']) await asked('run', '-d', '-H', host, '--', 'sleep 300')
    const ids = (await asked('ps', '-q', '--on', 'role=db')).trim().split('\n')
    assert.equal(ids.length, 2)
    assert.equal(await asked('ps', '-q', '--hosts', 'db*'), `${ids.join('\n')}\n`)
    const { code, stderr } = await ask('cancel', 'db1')
    assert.equal(code, 1)
    assert.match(stderr, /^newdt: db1: that is no id of a job; of a longer one type 8 digits at least\n$/)
    assert.deepEqual((await asked('cancel', ...ids)).trim().split('\n').sort(), ids.sort())
    assert.match((await ask('logs', 'nothere-at-all')).stderr, /no job and no queued job begins so/)
  })

  describe('run --on', () => {
    test('runs on all that have all labels, with a row for each', async () => {
      const { code, stdout, stderr } = await ask('run', '--on', 'role=db', '--', 'echo hello')
      assert.equal(code, 0)
      assert.deepEqual(stdout.split('\n').sort(), ['', 'db1 | hello', 'db2 | hello'])
      assert.match(stderr, /\nHOST +STATE +EXIT .*\ndb1 +success +0 .*\ndb2 +success +0 /)
      const one = await ask('run', '--on', 'role=db', '--on', 'env=dev', '-o', 'jsonl', '--', 'exit 3')
      assert.equal(one.code, 1)
      const { host, exitCode } = JSON.parse(one.stdout)
      assert.deepEqual([host, exitCode], ['db2', 3])
      assert.match((await ask('run', '--hosts', 'd*1', '--', 'echo x')).stdout, /^db1 \| x\n$/)
      const none = await ask('run', '--on', 'role=none', '--', 'true')
      assert.equal(none.code, 125)
      assert.match(none.stderr, /no agent with role=none is there; newdt hosts/)
      assert.match(
        (await ask('run', '--hosts', 'x*', '--', 'true')).stderr,
        /^newdt: x\*: no agent of fleet prod that is there/,
      )
    })

    test('has a row for a host that vanishes meanwhile', async () => {
      const home = createHome()
      const first = await start('pair1', 'role=pair')
      const second = await start('pair2', 'role=pair')
      const gate = join(home.path, 'gate')
      const both = startNewdt(
        ['run', '--on', 'role=pair', '-P', '1', '--', `echo begun; until [ -e ${gate} ]; do sleep 0.1; done`],
        { env },
      )
      await both.printed(/pair1 \| begun/)
      await second.end()
      writeFileSync(gate, '')
      const { code, stderr } = await both.ended
      assert.equal(code, 1)
      assert.match(
        stderr.toString(),
        /\npair1 +success .*\npair2 +unreachable +- .*pair2: no agent of this name is there any more; /,
      )
      await first.end()
      home.remove()
    })
  })

  describe('run --any', () => {
    const block = async (): Promise<string[]> => {
      const ids: string[] = []
      for (let slot = 0; slot < 2; slot++)
        ids.push((await asked('run', '-d', '-H', 'builder1', '--', 'sleep 300')).trim())
      return ids
    }

    test('says when none has room, and ends with 125; --wait tries on', async () => {
      const [id, other] = await block()
      const full = await ask('run', '--any', 'role=builder', '--', 'true')
      assert.equal(full.code, 125)
      assert.match(
        full.stderr,
        /^newdt: role=builder: builder1, the only host with this label, has no free slot; --wait 5m tries on, --queue/,
      )
      const waiting = startNewdt(['run', '--any', 'role=builder', '--wait', '2m', '--', 'echo at last'], {
        env,
      })
      await waiting.printed(/has no free slot; trying for 2m/)
      await asked('cancel', id!)
      const { code, stdout } = await waiting.ended
      assert.deepEqual([code, stdout.toString()], [0, 'at last\n'])
      await asked('cancel', other!)
    })

    test('says when nobody has the label', async () => {
      const { code, stderr } = await ask('run', '--any', 'role=none', '--', 'true')
      assert.equal(code, 125)
      assert.match(stderr, /^newdt: role=none: no agent with this label is there; /)
    })
  })

  test('Ctrl-C leaves the job, and its id is enough to come back', async () => {
    const run = startNewdt(['run', '--any', 'env=dev', '--', 'echo begun; sleep 300'], { env })
    await run.printed(/begun/)
    run.child.kill('SIGINT')
    const { code, stderr } = await run.ended
    assert.equal(code, 130)
    const [, id] = /newdt logs -f (\w+)/.exec(stderr.toString()) ?? []
    assert.equal(await asked('cancel', id!), `${id}\n`)
  })

  test('what the engine does not allow is told as such, and so is what the agent does not', async () => {
    assert.match(await asked('ps', '--fleet', 'reader'), /^HOST/)
    const { code, stderr } = await ask('run', '--fleet', 'reader', 'db1', '--', 'true')
    assert.equal(code, 125)
    assert.match(stderr, /publish to newdt\.host\.db1\.run; whoever runs the engine says who may send what/)
    const wrong = await newdt(['ps', '-H', 'db1'], { env: { ...env, NEWDT_SECRET: 'wrong' } })
    assert.match(wrong.stderr, /^newdt: the signature is wrong/)
    const stranger = await newdt(['hosts', '--fleet', engine.url], { env })
    assert.equal(stranger.code, 1)
    assert.match(stranger.stderr, /the engine does not let you in; check creds_file/)
    const unsigned = await newdt(['ps', '--fleet', url], { env: { XDG_CONFIG_HOME: config.path } })
    assert.match(unsigned.stderr, /say who asks its agents: NEWDT_SECRET/)
    assert.doesNotMatch(unsigned.stderr, /all:all/)
  })

  test('a job of somebody else is canceled by who has the right admin, and by nobody else', async () => {
    const home = createHome()
    const file = join(home.path, 'keys.json')
    const keys = ['read,run', 'read,run', 'read,run,admin'].map((rights, index) => ({
      id: `key${index}`,
      rights: rights.split(','),
      secret: `the-secret-of-key-${index}`,
    }))
    writeFileSync(file, JSON.stringify({ keys }), { mode: 0o600 })
    const agent = await startFleetAgent({ url }, 'shared', {
      home,
      env: { AGENT_LABELS: 'role=shared', AGENT_KEYS_FILE: file },
    })
    const askAs = (index: number, ...args: string[]) =>
      newdt(args, { env: { ...env, NEWDT_KEY: `key${index}`, NEWDT_SECRET: `the-secret-of-key-${index}` } })
    for (const [queued, own] of [
      [[], ['-H', 'shared']],
      [['--queue', '--any', 'role=shared'], []],
    ] as const) {
      const { stdout } = await askAs(0, 'run', '-d', ...(queued.length > 0 ? queued : own), '--', 'sleep 300')
      const id = stdout.trim()
      if (queued.length > 0)
        await waitFor(
          'it runs',
          async () => JSON.parse((await askAs(0, 'queue', 'show', id)).stdout).runs.at(-1)?.job,
        )
      const refused = await askAs(1, 'cancel', ...own, id)
      assert.equal(refused.code, 1)
      assert.match(
        refused.stderr,
        /only who has submitted the job, or an admin, may control it|newdt host check/,
      )
      assert.deepEqual(await askAs(2, 'cancel', ...own, id), { code: 0, stdout: `${id}\n`, stderr: '' })
    }
    await agent.end()
  })

  test('completes names, labels and ids of the fleet', async () => {
    const offered = async (...words: string[]) =>
      (await asked('__complete', '--', ...words))
        .split('\n')
        .map(line => line.split('\t')[0])
        .filter(Boolean)
    assert.deepEqual(await offered('run', 'd'), ['db1', 'db2'])
    assert.deepEqual(await offered('ps', '-H', ''), ['builder1', 'db1', 'db2'])
    assert.deepEqual(await offered('run', '--on', 'env='), ['env=dev', 'env=prod'])
    assert.deepEqual(await offered('--fleet', ''), ['prod', 'reader'])
    const id = (await asked('run', '-d', '-H', 'db1', '--', 'sleep 300')).trim()
    assert.deepEqual(await offered('cancel', id.slice(0, 16)), [id])
    await asked('cancel', id)
  })

  test('drain lets an agent of it end', async () => {
    const last = await start('last', 'role=last')
    assert.equal(
      await asked('drain', '--wait', 'last'),
      'last: takes no new jobs, ends now\nlast: has ended\n',
    )
    assert.equal((await last.ended).code, 0)
  })
})
