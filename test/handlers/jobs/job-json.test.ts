import assert from 'node:assert/strict'
import { test } from 'node:test'
import { jobToJson } from '../../../handlers/jobs/job-json.ts'
import { jobText } from '../../../handlers/jobs/job-text.ts'
import { NO_USAGE } from '../../../lib/process/types.ts'
import { createFakeOutput } from '../fake-output.ts'
import { ID, jobRecord } from '../fake-services.ts'

process.env.TZ = 'Asia/Shanghai'

const CMD = 'for ((i=0;i<2;i++));do echo $i; done;'
const FINISHED =
  `{"id":"${ID}","cmd":"${CMD}","params":"","scriptName":"","scriptContent":"","scriptType":"","scriptPath":"",` +
  `"async":false,"pid":7771,"state":"success","stdout":"0\\n1\\n","stderr":"","exitCode":0,"execCmd":"${CMD}","error":"",` +
  '"createTime":"2022-12-14T14:31:10.748369+08:00","startTime":"2022-12-14T14:31:10.748966+08:00",' +
  '"finishTime":"2022-12-14T14:31:20.875891+08:00","reason":"exited","signal":"","stdoutBytes":4,"stderrBytes":0,' +
  '"droppedBytes":0,"encoding":"utf-8","cpu":{"user":0.01,"system":0.02},"leftovers":0,"livingLeftovers":0,"survivors":[],"caller":"default","client":"192.0.2.7","labels":{},"user":"","limits":{},' +
  '"usage":{"cpu":0.03,"memory":null,"peakMemory":null,"peakProcesses":null,"readBytes":null,"writtenBytes":null},"notify":null,"queue":null}'

test("a finished job is the contract's JSON to the letter, with its output and without", () => {
  const record = jobRecord({}, { stdoutBytes: 4, stderrBytes: 0, keptBytes: 4 })
  const output = createFakeOutput().append('stdout', '0\n').append('stdout', '1\n').end()
  assert.equal([...jobText(record, output.view)].join(''), FINISHED)
  assert.equal(JSON.stringify(jobToJson(record)), FINISHED.replace('0\\n1\\n', ''))
})

test('a job has its user and its limits, and a running one what it uses where that was looked for', () => {
  const running = jobRecord({ state: 'running' })
  assert.deepEqual(jobToJson(running).usage, NO_USAGE)
  const usageNow = { ...NO_USAGE, memory: 4096 }
  assert.deepEqual(jobToJson({ ...running, usageNow }).usage, usageNow)
  const limited = { ...running.job, user: 'deploy', limits: { memory: 1 << 29, nice: 5 } }
  const { user, limits } = jobToJson({ ...running, job: limited })
  assert.deepEqual([user, limits], ['deploy', { memory: 1 << 29, nice: 5 }])
  assert.deepEqual(jobToJson(jobRecord({ state: 'rejected' })).usage, NO_USAGE)
})

test('a running job has no end yet', () => {
  const { finishTime, reason, exitCode, signal, pid } = jobToJson(jobRecord({ state: 'running' }))
  assert.deepEqual(
    { finishTime, reason, exitCode, signal, pid },
    { finishTime: '0001-01-01T00:00:00Z', reason: '', exitCode: 0, signal: '', pid: 7771 },
  )
})

test('a rejected job ended when it was created, and never ran', () => {
  const { pid, startTime, finishTime, createTime, reason, error } = jobToJson(
    jobRecord({ state: 'rejected' }),
  )
  assert.deepEqual(
    [pid, startTime, reason, error],
    [0, '0001-01-01T00:00:00Z', 'rejected', 'all slots are taken'],
  )
  assert.equal(finishTime, createTime)
})

test('a job tells whom it notifies without what a query may hold, and which run of which queued one it is', () => {
  const { job } = jobRecord({ state: 'running' })
  const notify = { url: 'https://ci.example.com/done?token=abc#x', on: ['ended'] as const }
  const told = jobToJson({ ...jobRecord(), job: { ...job, notify, queue: { id: 'build-4711', try: 2 } } })
  assert.deepEqual(told.notify, { url: 'https://ci.example.com/done', on: ['ended'] })
  assert.deepEqual(told.queue, { id: 'build-4711', try: 2 })
})
