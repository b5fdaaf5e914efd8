import assert from 'node:assert/strict'
import { test } from 'node:test'
import { jobToJson } from '../../../handlers/jobs/job-json.ts'
import { NO_USAGE } from '../../../lib/process/types.ts'
import { outOfMemoryText } from '../../../runtime/cli/out-of-memory.ts'
import { endLine } from '../../../runtime/cli/watch.ts'
import { fakeAgent } from '../../support/fake-agent.ts'
import { runVerb } from '../../support/run-verb.ts'
import { endOf, NO_OUTPUT, runningJob } from '../../support/sample-jobs.ts'

const MB = 1024 ** 2
const usage = { ...NO_USAGE, peakMemory: 200 * MB }
const killed = (limits: { memory?: number }, peakMemory: number | null) => {
  const job = endOf(runningJob({ id: '1'.repeat(32), limits }), {
    state: 'failed',
    reason: 'out-of-memory',
    signal: 'SIGKILL',
    error: 'signal: killed',
    usage: { ...usage, peakMemory },
  })
  return { ...jobToJson({ job, output: NO_OUTPUT, livingLeftovers: 0 }), stdout: '', stderr: '' }
}

test('a job that took all of its own memory took more than it may; one that did not suffered from the others', () => {
  const own = 'took more memory than it may (limit 200mb)'
  const others = 'all jobs together took more than AGENT_JOBS_MEMORY allows, or the host has no more'
  for (const peak of [200 * MB, 199 * MB, null])
    assert.equal(outOfMemoryText(killed({ memory: 200 * MB }, peak)), own)
  assert.equal(
    outOfMemoryText(killed({ memory: 200 * MB }, 20 * MB)),
    `was killed for want of memory, below its own limit (200mb): ${others}`,
  )
  assert.equal(outOfMemoryText(killed({}, 20 * MB)), `was killed for want of memory: ${others}`)
})

test('newdt run says so at the end, and newdt wait', async () => {
  const job = killed({ memory: 200 * MB }, 200 * MB)
  assert.equal(endLine(job), `job ${job.id} took more memory than it may (limit 200mb): signal: killed`)
  using agent = await fakeAgent(() => job)
  const { code, stdout } = await runVerb(['wait', job.id], agent.env)
  assert.deepEqual([code, stdout], [137, `${job.id} failed: took more memory than it may (limit 200mb)\n`])
})
