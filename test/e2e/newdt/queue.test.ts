import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import type { QueuedJob } from '../../../lib/fleet/queue/queued-job.ts'
import { type RunningAgent, SECRET } from '../../support/agent.ts'
import { createPublisher } from '../../support/fleet-queue.ts'
import { NATS_TEST, type NatsServer, startNatsServer } from '../../support/nats-server.ts'
import { newdt, startNewdt } from '../../support/newdt.ts'
import { scratchDirectory } from '../../support/scratch.ts'
import { startFleetAgent } from '../../support/start-fleet-agent.ts'
import { waitFor } from '../../support/wait-for.ts'

/** Who submits may do as much as docs/fleet.md says. */
const CONFIG = `
no_auth_user: agents
authorization {
  users = [
    { user: agents, password: agents }
    { user: alice, password: alice
      permissions {
        publish: ["newdt.host.*.read", "newdt.host.*.run", "newdt.any.role.*.run", "$SRV.STATS.newdt-auto", "_INBOX.>",
                  "newdt.queue.role.*", "newdt.queue.role.*.high", "$JS.API.INFO", "$JS.API.STREAM.INFO.KV_newdt-queue", "$JS.API.STREAM.MSG.GET.KV_newdt-queue",
                  "$JS.API.CONSUMER.CREATE.KV_newdt-queue.>", "$JS.API.CONSUMER.DELETE.KV_newdt-queue.>", "$JS.API.STREAM.MSG.GET.NEWDT_DEAD", "$KV.newdt-queue.*"]
        subscribe: ["_INBOX.alice.>"] } }
  ]
}
`

describe('newdt and the queue of a fleet', NATS_TEST, () => {
  const scratch = scratchDirectory()
  const agents: RunningAgent[] = []
  let engine: NatsServer
  let env: Record<string, string>

  before(async () => {
    engine = await startNatsServer({ config: CONFIG })
    env = {
      NEWDT_FLEET: engine.url.replace('//', '//alice:alice@'),
      NEWDT_FLEET_INBOX: '_INBOX.alice',
      NEWDT_SECRET: SECRET,
    }
    // Agents that die are to be missed soon.
    await createPublisher(engine, {
      ackWaitMs: 3000,
      labels: ['builder', 'doomed', 'lost'].map(value => ({ name: 'role', value })),
    })
    agents.push(await start('b1', 'role=builder'), await start('b2', 'role=other'))
  })
  after(async () => {
    await Promise.all(agents.map(agent => agent.end()))
    await engine[Symbol.asyncDispose]()
  })

  const start = (name: string, labels: string) =>
    startFleetAgent(engine, name, { env: { AGENT_LABELS: labels, AGENT_MAX_RUNNING: '1' } })
  const ask = (...args: string[]) => newdt(args, { env })
  const asked = async (...args: string[]): Promise<string> => {
    const { code, stdout, stderr } = await ask(...args)
    assert.deepEqual([code, stderr], [0, ''], args.join(' '))
    return stdout
  }
  const submit = async (...args: string[]): Promise<string> =>
    (await asked('run', '--any', 'role=builder', '--queue', '-d', ...args)).trim()
  const show = async (id: string): Promise<QueuedJob> => JSON.parse(await asked('queue', 'show', id))
  const runs = (id: string): Promise<unknown> =>
    waitFor(`${id} runs`, async () => (await show(id)).runs.at(-1)?.job)

  describe('run --any --queue', () => {
    test('shows what the job writes, says where it runs, and ends with its exit code', async () => {
      const { code, stdout, stderr } = await ask(
        'run',
        '--any',
        'role=builder',
        '--queue',
        '--',
        'echo out; echo err >&2; exit 7',
      )
      assert.deepEqual([code, stdout], [7, 'out\n'])
      assert.match(
        stderr,
        /^(newdt: q\w{24} waits for a free slot on role=builder\n)?newdt: q\w{24} runs on b1 as \w{32}\nerr\n$/,
      )
      const script = await newdt(['script', '--any', 'role=builder', '--queue', '-'], {
        env,
        input: 'echo scripted',
      })
      assert.deepEqual([script.code, script.stdout], [0, 'scripted\n'])
    })

    test('waits for a free slot, and says so; a restart of the engine does not end it', async () => {
      const busy = await submit('--', 'sleep 300')
      await runs(busy)
      const waiting = startNewdt(['run', '--any', 'role=builder', '--queue', '--', 'echo at last'], { env })
      await waiting.printed(/newdt: q\w+ waits for a free slot on role=builder/)
      await engine.restart()
      await waitFor(
        'the agents are back',
        async () => (await ask('hosts', '-o', 'json')).stdout.split('"serving": true').length === 3,
      )
      assert.equal(await asked('queue', 'cancel', busy.slice(0, 10)), `${busy}\n`)
      const { code, stdout } = await waiting.ended
      assert.deepEqual([code, stdout.toString()], [0, 'at last\n'])
    })

    test('goes on on another host when its agent dies, and says so', async () => {
      const first = await start('d1', 'role=doomed')
      const go = join(scratch, 'go')
      const run = startNewdt(
        [
          'run',
          '--any',
          'role=doomed',
          '--queue',
          '--',
          `echo on; until [ -e ${go} ]; do sleep 0.05; done; echo done`,
        ],
        { env },
      )
      await run.printed(/runs on d1 as/)
      await run.printed(/on/)
      const second = await start('d2', 'role=doomed')
      first.child.kill('SIGKILL')
      writeFileSync(go, '')
      const { code, stdout, stderr } = await run.ended
      assert.equal(code, 0)
      assert.match(stderr.toString(), /runs again, try 2 of 3 on d2 as/)
      assert.match(stdout.toString(), /done\n$/)
      await second.end()
    })

    test('left by Ctrl-C stays in the queue; with --rm it is canceled', async () => {
      const busy = await submit('--', 'sleep 300')
      await runs(busy)
      const left = startNewdt(['run', '--any', 'role=builder', '--queue', '--', 'true'], { env })
      await left.printed(/waits for a free slot/)
      left.child.kill('SIGINT')
      const { code, stderr } = await left.ended
      assert.equal(code, 130)
      const [, id] = /stays in the queue: newdt logs -f (\w+), newdt queue cancel \1/.exec(stderr.toString())!
      const removed = startNewdt(['run', '--any', 'role=builder', '--queue', '--rm', '--', 'true'], { env })
      await removed.printed(/waits for a free slot/)
      removed.child.kill('SIGINT')
      const end = await removed.ended
      assert.equal(end.code, 1)
      assert.match(end.stderr.toString(), /canceling (q\w+)\nnewdt: queued job \1 was canceled\n$/)
      assert.equal((await show(id!)).state, 'waiting')
      assert.equal(await asked('cancel', busy), `${busy}\n`)
      assert.equal(await asked('queue', 'wait', id!), `${id} success on b1\n`)
    })

    test('that nobody takes in time has expired, for who waits for it too', async () => {
      const args = ['--any', 'role=nobody', '--queue', '--expires', '2s']
      const run = startNewdt(['run', ...args, '--', 'true'], { env })
      const id = (await ask('run', ...args, '-d', '--', 'true')).stdout.trim()
      for (const verb of [['wait'], ['queue', 'wait']]) {
        const { code, stdout } = await ask(...verb, id)
        assert.deepEqual([code, stdout], [125, `${id} dead (expired)\n`])
      }
      const { code, stderr } = await run.ended
      assert.equal(code, 125)
      assert.match(stderr.toString(), /has expired before any host had a free slot; submit it again/)
      assert.match(
        await asked('queue', 'ls', '--any', 'role=nobody'),
        new RegExp(`${id.slice(0, 8)}\\w* +expired +role=nobody .* no host had a free slot in time`),
      )
    })

    test('that is lost with its agent, and must not run again, is dead until it is queued again', async () => {
      const doomed = await start('l1', 'role=lost')
      const run = startNewdt(
        ['run', '--any', 'role=lost', '--queue', '--once', '--', 'echo begun; sleep 2'],
        { env },
      )
      await run.printed(/begun/)
      doomed.child.kill('SIGKILL')
      const other = await start('l2', 'role=lost')
      const { code, stderr } = await run.ended
      assert.equal(code, 125)
      const [, id] =
        /queued job (q\w+) was lost with its agent, and is not run again; newdt queue retry \1\n$/.exec(
          stderr.toString(),
        )!
      const table = await asked('queue', 'ls', '--state', 'dead')
      assert.match(
        table,
        new RegExp(`\\n${id!.slice(0, 8)}\\w* +dead +role=lost .* 1/1 +l1 +dead \\(lost\\) `),
      )
      const again = (await asked('queue', 'retry', id!)).trim()
      assert.notEqual(again, id)
      assert.match(again, /^q[0-9a-f]{24}$/)
      assert.equal(await asked('queue', 'wait', again), `${again} success on l2\n`)
      assert.equal((await ask('queue', 'wait', 'qqqqqqqqqq')).code, 125)
      assert.match(
        (await ask('queue', 'retry', again)).stderr,
        /only one that is dead is retried; newdt queue ls --state dead/,
      )
      await other.end()
    })
  })

  describe('queue', () => {
    test('ls has what waits and what runs, with -a and --state the others', async () => {
      const busy = await submit('--priority', 'high', '--', 'sleep 300')
      await runs(busy)
      const waiting = await submit('--once', '--expires', '2h', '--', 'echo waiting')
      const table = await asked('queue', 'ls')
      assert.match(table, /^ID +STATE +LABEL +CREATED +TRY +HOST +NOTE +COMMAND\n/)
      assert.match(
        table,
        new RegExp(
          `\\n${waiting.slice(0, 8)}\\w* +waiting +role=builder +\\S+.* +0/1 +- +expires in 1h59m.* +echo waiting\\n`,
        ),
      )
      assert.match(
        table,
        new RegExp(`\\n${busy.slice(0, 8)}\\w* +running +role=builder \\(high\\) .* +1/3 +b1 +sleep 300\\n`),
      )
      const ids = (await asked('queue', 'ls', '-q', '--any', 'role=builder')).trim().split('\n')
      assert.deepEqual(ids.sort(), [busy, waiting].sort())
      assert.equal(await asked('queue', 'ls', '-q', '--any', 'role=other'), '')
      assert.equal(await asked('queue', 'cancel', waiting), `${waiting}\n`)
      assert.equal(await asked('queue', 'cancel', busy), `${busy}\n`)
      const canceled = await asked('queue', 'ls', '--state', 'canceled', '-o', 'json')
      assert.ok(JSON.parse(canceled).some(({ id }: QueuedJob) => id === waiting))
      assert.match((await ask('queue', 'cancel', waiting)).stderr, /the job has ended/)
      assert.match(
        (await ask('queue', 'ls', '--state', 'x')).stderr,
        /waiting, running, ended, dead, canceled/,
      )
      assert.match(
        (await ask('queue', 'show', 'qqqqqqqqqq')).stderr,
        /there is no such queued job; newdt queue ls -a/,
      )
    })

    test('ids do for logs, wait, inspect and cancel', async () => {
      const id = await submit('--', 'echo begun; sleep 300')
      const logs = startNewdt(['logs', '-f', id.slice(0, 12)], { env })
      await logs.printed(/begun/)
      const { queue } = JSON.parse(await asked('inspect', id))
      assert.equal(queue?.id, id)
      assert.match(await asked('top', '--once', id), /sleep/)
      assert.equal(await asked('logs', id), 'begun\n')
      assert.equal(await asked('cancel', id), `${id}\n`)
      assert.match((await logs.ended).stdout.toString(), /begun\n$/)
      const { code, stdout } = await ask('wait', id)
      assert.match(stdout, new RegExp(`^${id} canceled`))
      assert.notEqual(code, 0)
    })

    test('ids are completed', async () => {
      const id = await submit('--', 'sleep 300')
      const offered = async (...words: string[]) =>
        (await asked('__complete', '--', ...words)).split('\n').map(line => line.split('\t')[0])
      assert.ok((await offered('queue', 'cancel', id.slice(0, 6))).includes(id))
      assert.ok((await offered('logs', id.slice(0, 6))).includes(id))
      await asked('queue', 'cancel', id)
    })
  })

  test('what the queue of a label needs is made once, by who may', async () => {
    const asOwner = { env: { ...env, NEWDT_FLEET: engine.url, NEWDT_FLEET_INBOX: '' } }
    for (const _ of ['made', 'there already'])
      assert.deepEqual(await newdt(['queue', 'setup', 'role=new', 'env=prod'], asOwner), {
        code: 0,
        stdout: ['role=new', 'env=prod']
          .map(label => `${label}: jobs can wait for it; given to another agent after 30 s without a word\n`)
          .join(''),
        stderr: '',
      })
    const { code, stderr } = await ask('queue', 'setup', 'role=mine')
    assert.equal(code, 1)
    assert.match(stderr, /takes JetStream, and a user who may "\$JS\.API\.>"/)
    assert.match((await ask('queue', 'setup', 'Role=x')).stderr, /should be NAME=VALUE in lower case/)
  })

  test('options that are for the queue say so', async () => {
    for (const [args, pattern] of [
      [['--queue'], /--queue is for --any/],
      [['--any', 'role=builder', '--once'], /--once is for --queue/],
      [['--any', 'role=builder', '--queue', '--wait', '1m'], /--wait or --queue\?/],
      [['--any', 'role=builder', '--any', 'role=db'], /Only one label/],
      [['--any', 'role=builder', '--queue', '--tries', '99'], /tries is from 1 to 20/],
      [['--any', 'Role=x'], /should be a label of agents/],
      [['--any', 'role=builder', '-o', 'json'], /-o is for --hosts and --on/],
      [['--any', 'role=builder', '-H', 'b1'], /Name the host once/],
    ] as const) {
      const { code, stderr } = await ask('run', ...args, '--', 'true')
      assert.equal(code, 125)
      assert.match(stderr, pattern)
    }
  })
})
