import type { Job } from '../../../lib/client/client.ts'

type Ended = Pick<Job, 'state' | 'reason' | 'signal' | 'exitCode' | 'error' | 'limits' | 'usage'>

export interface EndingOptions {
  language: 'en' | 'zh'
  /** How long it ran, as text; undefined when it never did. */
  duration: string | undefined
  sizeText(bytes: number): string
}

/** How a job has ended, in a sentence without a full stop; "" while it runs. */
export const endingText = (job: Ended, { language, duration, sizeText }: EndingOptions): string => {
  const { state, reason, error } = job
  if (state === 'running') return ''
  const say = TEXTS[language]
  const after = duration === undefined ? '' : say.after(duration)
  const exit = exitOf(job, say)
  switch (reason) {
    case 'exited':
      return say.exited(job.exitCode, after)
    case 'signaled':
      return say.signaled(job.signal, after) + (CORE.test(error) ? say.core : '')
    case 'timeout':
      return say.timeout(TIMEOUT.exec(error)?.[1], after) + exit
    case 'output-limit':
      return say.outputLimit(after) + exit
    case 'out-of-memory':
      return memoryText(job, say, sizeText, after)
    case 'canceled':
      return say.canceled(after) + exit
    case 'agent-stopped':
      return say.agentStopped(after) + exit
    case 'start-failed':
      return say.startFailed(error)
    case 'agent-lost':
      return say.lost
    case 'rejected':
      return say.rejected(SLOTS.exec(error)?.[1], error)
    default:
      return say.other(error || reason, after) // A reason that is newer than this page.
  }
}

/** How the job's own process took it that it was stopped; it may have had an exit code of its own. */
const exitOf = ({ signal, exitCode }: Ended, say: Texts): string => {
  if (signal !== '') return say.by(signal)
  return exitCode === 0 ? '' : say.by(say.exitCode(exitCode))
}

/** Whose limit it was, as far as what it has used tells. */
const memoryText = (
  { limits, usage }: Ended,
  say: Texts,
  sizeText: EndingOptions['sizeText'],
  after: string,
): string => {
  // Agents of before do not tell.
  const [own, peak] = [limits?.memory, usage?.peakMemory ?? undefined]
  if (own === undefined) return say.outOfMemory(after) + say.othersMemory
  if (peak === undefined || peak >= own * NEARLY_ALL)
    return say.outOfMemory(after) + say.ownMemory(sizeText(own))
  return say.outOfMemory(after) + say.belowMemory(sizeText(own)) + say.othersMemory
}

/** What is refused was asked for in pieces, and is not in the peak. */
const NEARLY_ALL = 0.9

const CORE = / \(core dumped\)$/
/** The agent tells the timeout only where there is nothing else to tell. */
const TIMEOUT = /^timed out after (.+)$/
/** The message of the contract, whatever the language. */
const SLOTS = /^有 (\d+) 个任务正在执行/

const EN = {
  after: (duration: string) => ` after ${duration}`,
  by: (how: string) => ` (${how})`,
  exitCode: (code: number) => `exit code ${code}`,
  exited: (code: number, after: string) => `Exit code ${code}${after}`,
  signaled: (signal: string, after: string) =>
    `${signal === 'SIGKILL' ? 'Killed' : 'Ended'} by ${signal}${after}`,
  core: ', with a core dump',
  timeout: (timeout: string | undefined, after: string) =>
    timeout === undefined ? `Stopped by its timeout${after}` : `Stopped after its timeout of ${timeout}`,
  outputLimit: (after: string) => `Stopped${after}: it wrote more than its output limit`,
  outOfMemory: (after: string) => `Out of memory${after}: `,
  ownMemory: (limit: string) => `it used more than its limit of ${limit}`,
  belowMemory: (limit: string) => `it was below its own limit of ${limit}; `,
  othersMemory: 'all jobs together used more than AGENT_JOBS_MEMORY allows, or the host has no more',
  canceled: (after: string) => `Canceled${after}`,
  agentStopped: (after: string) => `Stopped${after}, because the agent was stopped`,
  startFailed: (error: string) => `Could not be started: ${error}`,
  lost: 'Lost: the agent was killed while it ran',
  rejected: (running: string | undefined, error: string) =>
    running === undefined
      ? `Rejected: ${error}`
      : `Rejected: ${running === '1' ? '1 job was' : `${running} jobs were`} running, and no slot was free`,
  other: (error: string, after: string) => `Ended${after}: ${error}`,
}

type Texts = typeof EN

const ZH: Texts = {
  after: duration => `，用时 ${duration}`,
  by: how => `（${how}）`,
  exitCode: code => `退出码 ${code}`,
  exited: (code, after) => `退出码 ${code}${after}`,
  signaled: (signal, after) => `被 ${signal} 结束${after}`,
  core: '，有 core dump',
  timeout: (timeout, after) =>
    timeout === undefined ? `超时，已停止${after}` : `超过 ${timeout} 的超时，已停止`,
  outputLimit: after => `输出超过上限，已停止${after}`,
  outOfMemory: after => `内存不足${after}：`,
  ownMemory: limit => `内存超过上限 ${limit}`,
  belowMemory: limit => `未超过自身上限 ${limit}；`,
  othersMemory: '全部任务合计超过 AGENT_JOBS_MEMORY，或主机内存已用完',
  canceled: after => `已取消${after}`,
  agentStopped: after => `Agent 退出，任务已停止${after}`,
  startFailed: error => `无法启动：${error}`,
  lost: '任务丢失：执行过程中 Agent 被 kill',
  rejected: (running, error) =>
    running === undefined ? `被拒绝：${error}` : `被拒绝：当时有 ${running} 个任务正在执行，没有空闲的任务槽`,
  other: (error, after) => `已结束${after}：${error}`,
}

const TEXTS = { en: EN, zh: ZH }
