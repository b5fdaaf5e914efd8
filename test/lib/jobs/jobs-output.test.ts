import assert from 'node:assert/strict'
import { after, describe, test } from 'node:test'
import { AgentError } from '../../../lib/base/errors.ts'
import type { Chunk } from '../../../lib/store/output-store.ts'
import { bytesOf } from '../../support/chunks.ts'
import { createTestJobs, requestOf } from '../../support/jobs.ts'
import { waitFor } from '../../support/wait-for.ts'

const LIMIT = 1 << 20

describe('the output of jobs', () => {
  const agent = createTestJobs({ limit: 200, outputLimit: LIMIT })
  const { jobs } = agent
  after(agent.close)

  const keptOf = (id: string): Buffer => {
    const view = jobs.openOutput(id)!
    return Buffer.concat([...view.read(0, view.size())])
  }

  const follow = async (id: string, afterSeq = 0): Promise<Chunk[]> => {
    const chunks: Chunk[] = []
    const { signal } = new AbortController()
    for await (const some of jobs.openOutput(id)!.follow({ afterSeq, signal })) chunks.push(...some)
    return chunks
  }

  for (const limit of [1, 2, 3, 7, 1000, 1001, 65_537, LIMIT - 1, LIMIT]) {
    test(`of a limit of ${limit} exactly the first half and the newest half are kept`, async () => {
      const sizes = [limit - 1, limit, limit + 1, limit + 2, 2 * limit + 3]
      await Promise.all(
        sizes.map(async size => {
          const job = await agent.run({ cmd: `seq 1 400000 | head -c ${size}`, outputLimit: limit })
          const all = numbers().subarray(0, size)
          const head = Math.ceil(limit / 2)
          const expected =
            size <= limit
              ? all
              : Buffer.concat([all.subarray(0, head), all.subarray(size - Math.floor(limit / 2))])
          assert.ok(keptOf(job.id).equals(expected), `${size} bytes`)
          assert.equal(job.stdout, expected.toString(), `${size} bytes`)
          assert.deepEqual(
            [job.stdoutBytes, job.stderrBytes, job.droppedBytes],
            [size, 0, Math.max(0, size - limit)],
          )
          assert.deepEqual([job.state, job.reason], ['success', 'exited'])
        }),
      )
    })
  }

  test('the limit is of both streams together, and what was written to each is counted', async () => {
    const job = await agent.run({
      cmd: 'seq 1 1000; seq 1 500 >&2; seq 1001 2000; exit 3',
      outputLimit: 1001,
    })
    assert.deepEqual([job.stdoutBytes, job.stderrBytes], [8893, 1892])
    assert.equal(job.droppedBytes, 8893 + 1892 - 1001)
    assert.equal(keptOf(job.id).length, 1001)
    assert.deepEqual([job.exitCode, job.error, job.reason], [3, 'exit status 3', 'exited'])
    const [listed] = await jobs.list({ limit: 1 })
    assert.deepEqual(
      [listed?.id, listed?.stdoutBytes, listed?.stderrBytes, listed?.droppedBytes],
      [job.id, job.stdoutBytes, job.stderrBytes, job.droppedBytes],
    )
  })

  test('a running job counts what it has written so far', async () => {
    const id = await agent.start({ cmd: 'printf 12345; printf 123 >&2; exec sleep 1000', outputLimit: 6 })
    await waitFor('all is written', async () => (await jobs.get(id))!.stderrBytes === 3)
    const { stdoutBytes, stderrBytes, droppedBytes, state } = (await jobs.get(id))!
    assert.deepEqual([stdoutBytes, stderrBytes, droppedBytes, state], [5, 3, 2, 'running'])
    assert.equal((await jobs.list({ limit: 1 }))[0]?.droppedBytes, 2)
    await jobs.cancel(id, 0)
  })

  test('a request may not raise the limit, and is not run when it tries to', async () => {
    const before = (await jobs.list({ limit: 200 })).length
    await assert.rejects(jobs.submit(requestOf({ cmd: 'true', outputLimit: LIMIT + 1 })), error => {
      assert.ok(error instanceof AgentError)
      assert.equal(error.code, 'output-limit-too-high')
      assert.deepEqual(error.details, { limit: LIMIT })
      return true
    })
    assert.equal((await jobs.list({ limit: 200 })).length, before)
    assert.equal((await agent.run({ cmd: 'true', outputLimit: LIMIT })).state, 'success')
  })

  test('a job that is to be killed by its output limit is, with all that it started, and says why', async () => {
    const job = await agent.run({ cmd: 'yes & yes; wait', outputLimit: 1000, onOutputLimit: 'kill' })
    assert.deepEqual(
      [job.state, job.reason, job.error, job.signal, job.exitCode],
      ['failed', 'output-limit', 'signal: terminated', 'SIGTERM', 0],
    )
    assert.deepEqual([job.leftovers, job.livingLeftovers, job.survivors], [0, 0, []])
    assert.equal(keptOf(job.id).length, 1000)
    assert.ok(job.stdoutBytes > 1000 && job.droppedBytes === job.stdoutBytes - 1000)
  })

  for (const [status, error] of [
    [3, 'exit status 3'],
    [0, 'output limit exceeded'],
  ] as const) {
    test(`one that ends itself with ${status} when it is stopped for its output has failed all the same`, async () => {
      const cmd = `trap 'exit ${status}' TERM; head -c 1001 /dev/zero; while :; do sleep 0.01; done`
      const job = await agent.run({ cmd, outputLimit: 1000, onOutputLimit: 'kill' })
      assert.deepEqual(
        [job.state, job.reason, job.error, job.exitCode],
        ['failed', 'output-limit', error, status],
      )
    })
  }

  test('one that writes exactly its limit is left alone, and so is one whose middle is to be dropped', async () => {
    const exact = await agent.run({
      cmd: 'head -c 1000 /dev/zero; sleep 0.1',
      outputLimit: 1000,
      onOutputLimit: 'kill',
    })
    assert.deepEqual([exact.state, exact.reason, exact.droppedBytes], ['success', 'exited', 0])
    const dropped = await agent.run({ cmd: 'seq 1 9999', outputLimit: 1000, onOutputLimit: 'drop' })
    assert.deepEqual([dropped.state, dropped.reason], ['success', 'exited'])
  })

  test('output is decoded as its request says, across the writes of the job, and stays itself in bytes', async () => {
    const cmd = "printf 'a\\326'; sleep 0.05; printf '\\320'; printf '\\316\\304' >&2; printf '\\326'"
    const job = await agent.run({ cmd, encoding: 'gbk' })
    assert.deepEqual([job.stdout, job.stderr, job.encoding], ['a中\ufffd', '文', 'gbk'])
    const view = jobs.openOutput(job.id)!
    assert.equal(view.encoding, 'gbk')
    const stdout = Buffer.concat([...view.read(0, view.size('stdout'), 'stdout')])
    assert.deepEqual(stdout, Buffer.from('61d6d0d6', 'hex'))
  })

  test('followers that start before the first byte are given everything as it comes', async () => {
    const id = await agent.start({ cmd: 'sleep 0.1; seq 1 3000; sleep 0.05; seq 1 100 >&2' })
    assert.equal(jobs.openOutput(id)!.size(), 0)
    const all = await Promise.all(Array.from({ length: 200 }, () => follow(id)))
    const job = (await jobs.get(id))!
    assert.equal(job.state, 'success')
    const first = all[0]!
    assert.equal(bytesOf(first, 'stdout').toString(), job.stdout)
    assert.equal(bytesOf(first, 'stderr').toString(), job.stderr)
    assert.equal(job.stdoutBytes, 13_893)
    for (const one of all) assert.deepEqual(one, first)
    assert.deepEqual(await follow(id), first)
    assert.deepEqual(await follow(id, first[0]!.seq), first.slice(1))
  })

  test('a follower sees a line while the job is still running', async () => {
    const id = await agent.start({ cmd: 'echo first; exec sleep 1000' })
    const reader = new AbortController()
    const follower = jobs.openOutput(id)!.follow({ afterSeq: 0, signal: reader.signal })
    for await (const [chunk] of follower) {
      assert.equal(Buffer.from(chunk!.bytes).toString(), 'first\n')
      assert.equal(jobs.openOutput(id)!.isRunning(), true)
      reader.abort()
    }
    await jobs.cancel(id, 0)
    assert.equal(jobs.openOutput(id)!.isRunning(), false)
  })

  test('the output of a job that never ran is empty, and following it ends', async () => {
    const { id } = await agent.run({ cmd: 'true', cwd: '/nope' })
    assert.equal(jobs.openOutput(id)!.size(), 0)
    assert.deepEqual(await follow(id), [])
  })
})

let cached: Buffer | undefined
const numbers = (): Buffer => {
  cached ??= Buffer.from(Array.from({ length: 400_000 }, (_, index) => `${index + 1}\n`).join(''))
  return cached
}
