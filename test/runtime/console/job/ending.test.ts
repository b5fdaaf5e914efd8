import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { EndReason } from '../../../../lib/jobs/job.ts'
import { rejectionText } from '../../../../lib/jobs/job.ts'
import { endedJob } from '../../../../lib/jobs/outcome.ts'
import { NO_USAGE } from '../../../../lib/process/types.ts'
import { endingText } from '../../../../runtime/console/job/ending.ts'
import { runningJob, SOME_TIME } from '../../../support/sample-jobs.ts'

type Given = Partial<Parameters<typeof endingText>[0]>

const MB = 1024 ** 2

const textOf = (given: Given, language: 'en' | 'zh', duration: string | undefined = '4.2 s'): string =>
  endingText(
    {
      state: 'failed',
      reason: 'exited',
      signal: '',
      exitCode: 0,
      error: '',
      limits: {},
      usage: NO_USAGE,
      ...given,
    },
    { language, duration, sizeText: bytes => `${bytes / MB} MB` },
  )

/** What is told of each end, in English and Chinese. */
const ENDS: Record<EndReason, [given: Given, en: string, zh: string][]> = {
  exited: [
    [{ state: 'success' }, 'Exit code 0 after 4.2 s', '退出码 0，用时 4.2 s'],
    [{ exitCode: 3, error: 'exit status 3' }, 'Exit code 3 after 4.2 s', '退出码 3，用时 4.2 s'],
  ],
  signaled: [
    [
      { signal: 'SIGKILL', error: 'signal: killed' },
      'Killed by SIGKILL after 4.2 s',
      '被 SIGKILL 结束，用时 4.2 s',
    ],
    [
      { signal: 'SIGSEGV', error: 'signal: segmentation fault (core dumped)' },
      'Ended by SIGSEGV after 4.2 s, with a core dump',
      '被 SIGSEGV 结束，用时 4.2 s，有 core dump',
    ],
  ],
  timeout: [
    [{ error: 'timed out after 30s' }, 'Stopped after its timeout of 30s', '超过 30s 的超时，已停止'],
    [
      { signal: 'SIGTERM', error: 'signal: terminated' },
      'Stopped by its timeout after 4.2 s (SIGTERM)',
      '超时，已停止，用时 4.2 s（SIGTERM）',
    ],
    [
      { exitCode: 7, error: 'exit status 7' },
      'Stopped by its timeout after 4.2 s (exit code 7)',
      '超时，已停止，用时 4.2 s（退出码 7）',
    ],
  ],
  canceled: [
    [{ state: 'canceled', error: 'canceled' }, 'Canceled after 4.2 s', '已取消，用时 4.2 s'],
    [
      { state: 'canceled', signal: 'SIGTERM' },
      'Canceled after 4.2 s (SIGTERM)',
      '已取消，用时 4.2 s（SIGTERM）',
    ],
  ],
  'agent-stopped': [
    [
      { state: 'canceled', error: 'agent stopped' },
      'Stopped after 4.2 s, because the agent was stopped',
      'Agent 退出，任务已停止，用时 4.2 s',
    ],
  ],
  'output-limit': [
    [
      { signal: 'SIGTERM' },
      'Stopped after 4.2 s: it wrote more than its output limit (SIGTERM)',
      '输出超过上限，已停止，用时 4.2 s（SIGTERM）',
    ],
  ],
  'out-of-memory': [
    [
      { limits: { memory: 64 * MB }, usage: { ...NO_USAGE, peakMemory: 64 * MB }, signal: 'SIGKILL' },
      'Out of memory after 4.2 s: it used more than its limit of 64 MB',
      '内存不足，用时 4.2 s：内存超过上限 64 MB',
    ],
    [
      { limits: { memory: 64 * MB }, usage: { ...NO_USAGE, peakMemory: 10 * MB } },
      'Out of memory after 4.2 s: it was below its own limit of 64 MB; all jobs together used more than AGENT_JOBS_MEMORY allows, or the host has no more',
      '内存不足，用时 4.2 s：未超过自身上限 64 MB；全部任务合计超过 AGENT_JOBS_MEMORY，或主机内存已用完',
    ],
    [
      {},
      'Out of memory after 4.2 s: all jobs together used more than AGENT_JOBS_MEMORY allows, or the host has no more',
      '内存不足，用时 4.2 s：全部任务合计超过 AGENT_JOBS_MEMORY，或主机内存已用完',
    ],
  ],
  'start-failed': [
    [
      { error: 'chdir /x: no such file or directory' },
      'Could not be started: chdir /x: no such file or directory',
      '无法启动：chdir /x: no such file or directory',
    ],
  ],
  'agent-lost': [
    [
      { error: 'agent was lost' },
      'Lost: the agent was killed while it ran',
      '任务丢失：执行过程中 Agent 被 kill',
    ],
  ],
  rejected: [
    [
      { state: 'rejected', error: rejectionText(5) },
      'Rejected: 5 jobs were running, and no slot was free',
      '被拒绝：当时有 5 个任务正在执行，没有空闲的任务槽',
    ],
    [
      { state: 'rejected', error: rejectionText(1) },
      'Rejected: 1 job was running, and no slot was free',
      '被拒绝：当时有 1 个任务正在执行，没有空闲的任务槽',
    ],
    [{ state: 'rejected', error: 'no' }, 'Rejected: no', '被拒绝：no'],
  ],
}

for (const [reason, cases] of Object.entries(ENDS)) {
  test(`the end "${reason}" is told in plain words, in both languages`, () => {
    for (const [given, en, zh] of cases) {
      const job = { ...given, reason: reason as EndReason }
      assert.deepEqual([textOf(job, 'en'), textOf(job, 'zh')], [en, zh])
    }
  })
}

test('the timeout and the core dump are found in what the agent really says', () => {
  const status = { exitCode: 0, signal: 0, coreDumped: false }
  const textAfter = (reason: EndReason, changes: Partial<typeof status>): string => {
    const exit = { status: { ...status, ...changes }, cpu: { user: 0, system: 0 } }
    const { error, signal } = endedJob(runningJob(), {
      reason,
      exit,
      timeout: '1m30s',
      finishTime: SOME_TIME,
    })
    return textOf({ reason, error, signal }, 'en')
  }
  assert.equal(textAfter('timeout', {}), 'Stopped after its timeout of 1m30s')
  const dumped = textAfter('signaled', { signal: 11, coreDumped: true })
  assert.equal(dumped, 'Ended by SIGSEGV after 4.2 s, with a core dump')
})

test('a job that runs has not ended', () => {
  assert.equal(textOf({ state: 'running', reason: '' }, 'en'), '')
})

test('a job that never ran has no duration, and an unknown reason is told as it is', () => {
  const unknown = { reason: 'evicted' as EndReason }
  assert.equal(endingText({ ...base, ...unknown }, { ...options, duration: undefined }), 'Ended: evicted')
  assert.equal(textOf({ ...unknown, error: 'moved away' }, 'zh'), '已结束，用时 4.2 s：moved away')
})

const base = { state: 'failed', signal: '', exitCode: 0, error: '', limits: {}, usage: NO_USAGE } as const
const options = { language: 'en', sizeText: String } as const
