import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { readdirSync, readFileSync, statSync } from 'node:fs'
import { connect } from 'node:net'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { createHome, type RunningAgent, sign, startAgent } from '../support/agent.ts'
import { waitFor } from '../support/wait-for.ts'

interface Event {
  event: string
  id: string | undefined
  data: Record<string, unknown>
}

/** The whole events of a stream that may have been left in the middle of one. */
const parseEvents = (text: string): Event[] =>
  text
    .slice(0, text.lastIndexOf('\n\n') + 2)
    .split('\n\n')
    .filter(block => block.startsWith('event: '))
    .map(block => {
      const field = (name: string) => new RegExp(`^${name}: ([^\n]*)$`, 'm').exec(block)?.[1]
      return { event: field('event')!, id: field('id'), data: JSON.parse(field('data')!) }
    })

const bytesOf = (events: Event[], stream: string): Buffer =>
  Buffer.concat(
    events
      .filter(({ event }) => event === stream)
      .map(({ data }) =>
        data.text === undefined ? Buffer.from(String(data.base64), 'base64') : Buffer.from(String(data.text)),
      ),
  )

const rssMb = (pid: number): number =>
  Number(/VmRSS:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))![1]) / 1024

/** Reads a response until `enough` says so, then leaves. */
const readUntil = async (response: Response, enough: (text: string) => boolean): Promise<string> => {
  let text = ''
  for await (const chunk of response.body!) {
    text += Buffer.from(chunk).toString('latin1')
    if (enough(text)) break
  }
  return Buffer.from(text, 'latin1').toString()
}

describe('output of any size', () => {
  const home = createHome()
  let agent: RunningAgent
  before(async () => {
    agent = await startAgent(home, { env: { AGENT_OUTPUT_LIMIT: '64mb', AGENT_MAX_RUNNING: '10' } })
  })
  after(async () => {
    await agent.end()
    await home.assertClean()
    home.remove()
  })

  test('curl -N sees lines as they are written, and the follower of a silent job waits', async () => {
    const fifo = join(home.path, 'fifo')
    const { id } = await agent.execute({
      cmd: `mkfifo ${fifo}; while read -r line; do echo "$line"; done < ${fifo}`,
      async: true,
    })
    await waitFor('the fifo is there', () => statSync(fifo, { throwIfNoEntry: false })?.isFIFO())
    const { sign: signature, signAt } = sign()
    const url = `${agent.url}/api/jobs/${id}/stdout?follow=true&sign=${signature}&signAt=${signAt}`
    const curl = spawn('curl', ['-sN', url], { stdio: ['ignore', 'pipe', 'inherit'] })
    let seen = ''
    curl.stdout.on('data', data => {
      seen += data
    })
    const writer = spawn('sh', ['-c', `exec cat > ${fifo}`], { stdio: ['pipe', 'ignore', 'inherit'] })
    for (const line of ['one', 'two', 'three']) {
      writer.stdin.write(`${line}\n`)
      await waitFor(`curl has seen ${line}`, () => seen.endsWith(`${line}\n`))
    }
    writer.stdin.end()
    await once(curl, 'close')
    assert.equal(seen, 'one\ntwo\nthree\n')
  })

  test('what was written is what is read: raw, in ranges, and by events with a break', async () => {
    const cmd = `perl -e 'srand(7); binmode STDOUT; for (1..300) { my $b = join "", map { chr int rand 256 } 1..int rand 20000; print $b }' | tee ${home.path}/copy`
    const { id } = await agent.execute({ cmd })
    const expected = readFileSync(join(home.path, 'copy'))
    const raw = async (headers = {}) =>
      Buffer.from(await (await agent.fetch(`/api/jobs/${id}/stdout`, { headers })).arrayBuffer())
    assert.ok(expected.equals(await raw()))
    for (const [start, end] of [
      [0, 1],
      [65_535, 65_537],
      [100_000, 1_000_000],
      [expected.length - 1, expected.length],
    ] as const) {
      assert.ok(expected.subarray(start, end).equals(await raw({ Range: `bytes=${start}-${end - 1}` })))
    }
    const first = parseEvents(
      await readUntil(await agent.fetch(`/api/jobs/${id}/events`), text => text.length > 1_000_000),
    )
    const last = first.findLast(({ id }) => id !== undefined)!.id!
    const rest = parseEvents(
      await (await agent.fetch(`/api/jobs/${id}/events`, { headers: { 'Last-Event-ID': last } })).text(),
    )
    assert.ok(expected.equals(Buffer.concat([bytesOf(first, 'stdout'), bytesOf(rest, 'stdout')])))
    assert.equal(rest.at(-1)?.event, 'end')
  })

  test('two hundred followers of one job each get everything once, and a stuck one costs nothing', async () => {
    const { id } = await agent.execute({
      cmd: 'for i in $(seq 200); do echo $i; sleep 0.005; done',
      async: true,
    })
    const { sign: signature, signAt } = sign()
    // Never reads.
    const stuck = connect(Number(new URL(agent.url).port), '127.0.0.1').pause()
    stuck.write(
      `GET /api/jobs/${id}/output?follow=true&sign=${signature}&signAt=${signAt} HTTP/1.1\r\nHost: x\r\n\r\n`,
    )
    // Says at once that it will say no more.
    const halfClosed = connect(Number(new URL(agent.url).port), '127.0.0.1')
    halfClosed.on('error', () => {}).resume()
    halfClosed.end(
      `GET /api/jobs/${id}/events?sign=${signature}&signAt=${signAt} HTTP/1.1\r\nHost: x\r\n\r\n`,
    )
    const follow = async () => (await agent.fetch(`/api/jobs/${id}/stdout?follow=true`)).text()
    const texts = await Promise.all(Array.from({ length: 200 }, follow))
    const expected = Array.from({ length: 200 }, (_, index) => `${index + 1}\n`).join('')
    assert.equal(texts.filter(text => text === expected).length, 200)
    stuck.destroy()
    await waitFor('every reader that has gone is let go of', () => {
      const descriptors = readdirSync(`/proc/${agent.pid}/fd`).length
      return descriptors < 100
    })
  })

  test('five floods leave memory and disk bounded, health answered, and the right exit codes', async t => {
    const idle = rssMb(agent.pid)
    const flood = (code: number) => ({
      cmd: `yes | head -c 500000000; exit ${code}`,
      outputLimit: '16mb',
      async: true,
    })
    const ids = (await Promise.all([1, 2, 3, 4, 5].map(code => agent.execute(flood(code))))).map(
      ({ id }) => id,
    )
    let highest = 0
    await waitFor(
      'the floods are over',
      async () => {
        highest = Math.max(highest, rssMb(agent.pid))
        assert.equal((await agent.call('/healthz')).data, 'up')
        return (await agent.call('/api/jobs/countOfRunningJobs')).data === 0
      },
      100_000,
    )
    t.diagnostic(
      `RSS: ${Math.round(idle)} MB idle, ${Math.round(highest)} MB at most, ${Math.round(rssMb(agent.pid))} MB after`,
    )
    assert.ok(highest - idle < 100, `${highest - idle} MB above idle`)
    for (const [index, id] of ids.entries()) {
      const job = await agent.job(id)
      assert.deepEqual([job.exitCode, job.stdoutBytes, job.stdout.length], [index + 1, 500_000_000, 16 << 20])
      assert.equal(job.droppedBytes, 500_000_000 - (16 << 20))
    }
    const wal = statSync(join(home.data, 'newdt-auto.db-wal')).size / 2 ** 20
    assert.ok(wal < 200, `the -wal has ${wal} MB`)
  })

  test('a large output that fits is kept to the last byte', async () => {
    const cmd = `perl -e 'srand(1); print pack("N*", map { int rand 2**32 } 1..250000) for 1..50' | tee >(md5sum | cut -c1-32 >&2)`
    const { id } = await agent.execute({ cmd, async: true })
    const job = await agent.job(id, '?wait=2m')
    const response = await agent.fetch(`/api/jobs/${id}/stdout`)
    assert.equal(response.headers.get('content-length'), '50000000')
    const hash = createHash('md5')
    for await (const chunk of response.body!) hash.update(chunk)
    assert.equal(`${hash.digest('hex')}\n`, job.stderr)
  })

  test('a follower goes on over a restart of the agent, and what it was given before a kill is still there', async () => {
    const { id } = await agent.execute({
      cmd: 'for i in $(seq 100000); do echo $i; done; sleep 1000',
      async: true,
    })
    const before = parseEvents(
      await readUntil(await agent.fetch(`/api/jobs/${id}/events`), text => text.length > 100_000),
    )
    const seen = before.filter(({ id }) => id !== undefined)
    await agent.end('SIGKILL')
    agent = await startAgent(home)
    const rest = parseEvents(
      await (await agent.fetch(`/api/jobs/${id}/events?after=${seen.at(-1)!.id}`)).text(),
    )
    const end = rest.at(-1)!
    assert.deepEqual([end.event, end.data.reason], ['end', 'agent-lost'])
    const ids = [...seen, ...rest].flatMap(({ id }) => (id === undefined ? [] : [Number(id)]))
    assert.deepEqual(
      ids,
      ids.map((_, index) => index + 1),
    )
    const text = Buffer.concat([bytesOf(seen, 'stdout'), bytesOf(rest, 'stdout')]).toString()
    assert.equal(text, end.data.stdout)
    assert.ok(text.startsWith('1\n2\n3\n'))
  })
})
