import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Job } from '../../../../lib/client/client.ts'
import { formOfJob } from '../../../../runtime/console/run/form-of-job.ts'
import { requestOf } from '../../../../runtime/console/run/request.ts'

const JOB = {
  cmd: 'make',
  params: '-j2',
  scriptName: '',
  scriptType: '',
  labels: { env: 'prod' },
  user: 'deploy',
  limits: { memory: 536_870_912, cpus: 1.5, fileSize: 1000 },
  encoding: 'gbk',
} as unknown as Job

test('a job is asked for again with what the agent keeps of it, limits to the byte', () => {
  assert.deepEqual(requestOf(formOfJob(JOB)), {
    cmd: 'make',
    params: '-j2',
    labels: { env: 'prod' },
    user: 'deploy',
    limits: { memory: '512mb', cpus: 1.5, fileSize: '1000b' },
    encoding: 'gbk',
  })
})

test('of a script name, type and params come back', () => {
  const job = { ...JOB, cmd: '', scriptName: 'x.py', scriptType: 'python', limits: {}, encoding: 'utf-8' }
  assert.deepEqual(requestOf(formOfJob(job as Job)), {
    scriptName: 'x.py',
    scriptType: 'python',
    scriptContent: '',
    params: '-j2',
    labels: { env: 'prod' },
    user: 'deploy',
  })
})
