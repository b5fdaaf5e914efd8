import { choose } from './language.ts'

export const cancelWords = choose({
  en: {
    title: 'Cancel this job?',
    explanation:
      'Each of its processes gets TERM, so that it can clean up. What still lives after the grace period is killed.',
    grace: 'Grace period',
    example: '10s',
    hint: 'Such as 10s or 2m; 0s kills at once. Empty: what the agent is set to.',
    cancel: 'Cancel the job',
    keep: 'Let it run',
    stopping: 'The job is being stopped. The stop goes on when you close this.',
    close: 'Close',
    lateFailure: (message: string) => `The job was not canceled: ${message}`,
    mayNot: 'This key may not cancel this job: it was submitted by another one.',
  },
  zh: {
    title: '取消此任务？',
    explanation: '任务的每个进程先收到 TERM，可以自行清理；过了等待时间仍存活的会被强制结束（KILL）。',
    grace: '等待时间',
    example: '10s',
    hint: '例如 10s 或 2m；0s 表示立即 KILL。留空则使用 Agent 的设置。',
    cancel: '取消任务',
    keep: '让它继续执行',
    stopping: '正在停止任务。关闭此窗口后，停止仍会继续。',
    close: '关闭',
    lateFailure: (message: string) => `任务没有取消：${message}`,
    mayNot: '此密钥不能取消此任务：它由其他密钥提交。',
  },
})
