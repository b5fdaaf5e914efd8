import { constants } from 'node:os'

/** How a process ended; `signal` is 0 when it exited by itself, `exitCode` is 0 when a signal ended it. */
export interface ExitStatus {
  exitCode: number
  signal: number
  coreDumped: boolean
}

/** Seconds of processor time, of a process and of those that it has waited for. */
export interface CpuTime {
  user: number
  system: number
}

/** What wait4(2) tells of the end of a process. */
export interface Exit {
  status: ExitStatus
  cpu: CpuTime
}

/** Takes apart the status word of wait4(2): low 7 bits the signal, bit 7 the core flag, the next 8 the code. */
export const parseWaitStatus = (raw: number): ExitStatus => {
  const signal = raw & 0x7f
  return { exitCode: signal === 0 ? (raw >> 8) & 0xff : 0, signal, coreDumped: (raw & 0x80) !== 0 }
}

/** What Go's os.ProcessState says of the end on Linux: "exit status 3", "signal: killed", "" for success. */
export const exitText = ({ exitCode, signal, coreDumped }: ExitStatus): string => {
  if (signal !== 0) {
    return `signal: ${SIGNAL_TEXTS[signal] ?? `signal ${signal}`}${coreDumped ? ' (core dumped)' : ''}`
  }
  return exitCode === 0 ? '' : `exit status ${exitCode}`
}

/** "SIGTERM" for 15; real-time signals as glibc counts them ("SIGRTMIN+1" is 35); "" for 0. */
export const signalName = (signal: number): string => {
  if (signal === 0) return ''
  const name = SIGNAL_NAMES.get(signal)
  if (name) return name
  if (signal === SIGRTMIN) return 'SIGRTMIN'
  return signal > SIGRTMIN && signal <= SIGRTMAX ? `SIGRTMIN+${signal - SIGRTMIN}` : `SIG${signal}`
}

/** "HUP" or "SIGHUP", as kill(1) takes them; undefined for what is no signal of this system. */
export const parseSignal = (text: string): NodeJS.Signals | undefined => {
  const name = text.startsWith('SIG') ? text : `SIG${text}`
  return Object.hasOwn(constants.signals, name) ? (name as NodeJS.Signals) : undefined
}

const SIGRTMIN = 34
const SIGRTMAX = 64

// The first name of a number wins: SIGABRT before its alias SIGIOT, SIGIO before SIGPOLL.
const SIGNAL_NAMES = new Map(
  Object.entries(constants.signals)
    .reverse()
    .map(([name, number]) => [number, name]),
)

/** Go's syscall.Signal texts for Linux, by number (zerrors_linux_amd64.go). */
const SIGNAL_TEXTS: Record<number, string> = {
  1: 'hangup',
  2: 'interrupt',
  3: 'quit',
  4: 'illegal instruction',
  5: 'trace/breakpoint trap',
  6: 'aborted',
  7: 'bus error',
  8: 'floating point exception',
  9: 'killed',
  10: 'user defined signal 1',
  11: 'segmentation fault',
  12: 'user defined signal 2',
  13: 'broken pipe',
  14: 'alarm clock',
  15: 'terminated',
  16: 'stack fault',
  17: 'child exited',
  18: 'continued',
  19: 'stopped (signal)',
  20: 'stopped',
  21: 'stopped (tty input)',
  22: 'stopped (tty output)',
  23: 'urgent I/O condition',
  24: 'CPU time limit exceeded',
  25: 'file size limit exceeded',
  26: 'virtual timer expired',
  27: 'profiling timer expired',
  28: 'window changed',
  29: 'I/O possible',
  30: 'power failure',
  31: 'bad system call',
}
