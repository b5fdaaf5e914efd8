import assert from 'node:assert/strict'
import { test } from 'node:test'
import { jobToJson } from '../../../handlers/jobs/job-json.ts'
import { NO_USAGE } from '../../../lib/process/types.ts'
import { fakeAgent } from '../../support/fake-agent.ts'
import { runVerb } from '../../support/run-verb.ts'
import { NO_OUTPUT, runningJob } from '../../support/sample-jobs.ts'

const MB = 1024 ** 2

test('newdt top tells how much memory the whole job uses, and how much it may', async () => {
  const headOf = async (memory: number | null, limits: { memory?: number }) => {
    const job = runningJob({ pid: 7, startTime: Date.now() * 1000, limits })
    const usageNow = { ...NO_USAGE, memory }
    const json = jobToJson({ job, output: NO_OUTPUT, livingLeftovers: 0, usageNow })
    using agent = await fakeAgent(path =>
      path.endsWith('/processes') ? [] : { ...json, stdout: '', stderr: '' },
    )
    const { stdout } = await runVerb(['top', job.id], agent.env)
    return stdout.split('\n')[0]!.replace(/^.*running for [\d.]+m?s/, '')
  }
  assert.equal(await headOf(12 * MB, { memory: 200 * MB }), ', memory 12.0 MB of 200 MB')
  assert.equal(await headOf(12 * MB, {}), ', memory 12.0 MB')
  assert.equal(await headOf(null, { memory: 200 * MB }), '')
})
