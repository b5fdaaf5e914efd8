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
  /** What disks have read and written for it and for those that it has waited for, in bytes; unknown when absent. */
  io?: { readBytes: number; writtenBytes: number } | undefined
}

/** Takes apart the status word of wait4(2): low 7 bits the signal, bit 7 the core flag, the next 8 the code. */
export const parseWaitStatus = (raw: number): ExitStatus => {
  const signal = raw & 0x7f
  return { exitCode: signal === 0 ? (raw >> 8) & 0xff : 0, signal, coreDumped: (raw & 0x80) !== 0 }
}

/**
 * The words for how processes end, on a system with these signals (name → number). Numbers differ between systems, so
 * what is said follows from the name.
 */
export const createExitWords = (signals: Readonly<Record<string, number>>, hasRealTimeSignals: boolean) => {
  // The first name of a number wins: SIGABRT before its alias SIGIOT, SIGIO before SIGPOLL.
  const names = new Map(
    Object.entries(signals)
      .reverse()
      .map(([name, number]) => [number, name]),
  )

  /** "SIGTERM" for 15; real-time signals as glibc counts them ("SIGRTMIN+1" is 35); "" for 0. */
  const signalName = (signal: number): string => {
    if (signal === 0) return ''
    const name = names.get(signal)
    if (name) return name
    if (!hasRealTimeSignals || signal < SIGRTMIN || signal > SIGRTMAX) return `SIG${signal}`
    return signal === SIGRTMIN ? 'SIGRTMIN' : `SIGRTMIN+${signal - SIGRTMIN}`
  }

  return {
    signalName,

    /** What Go's os.ProcessState says of the end: "exit status 3", "signal: killed", "" for success. */
    exitText({ exitCode, signal, coreDumped }: ExitStatus): string {
      if (signal === 0) return exitCode === 0 ? '' : `exit status ${exitCode}`
      return `signal: ${SIGNAL_TEXTS[signalName(signal)] ?? `signal ${signal}`}${coreDumped ? ' (core dumped)' : ''}`
    },

    /** "HUP" or "SIGHUP", as kill(1) takes them; undefined for what is no signal of this system. */
    parseSignal(text: string): NodeJS.Signals | undefined {
      const name = text.startsWith('SIG') ? text : `SIG${text}`
      return Object.hasOwn(signals, name) ? (name as NodeJS.Signals) : undefined
    },
  }
}

/** Of Linux. */
const SIGRTMIN = 34
const SIGRTMAX = 64

/** Go's syscall.Signal texts for Linux (zerrors_linux_amd64.go). */
const SIGNAL_TEXTS: Record<string, string> = {
  SIGHUP: 'hangup',
  SIGINT: 'interrupt',
  SIGQUIT: 'quit',
  SIGILL: 'illegal instruction',
  SIGTRAP: 'trace/breakpoint trap',
  SIGABRT: 'aborted',
  SIGBUS: 'bus error',
  SIGFPE: 'floating point exception',
  SIGKILL: 'killed',
  SIGUSR1: 'user defined signal 1',
  SIGSEGV: 'segmentation fault',
  SIGUSR2: 'user defined signal 2',
  SIGPIPE: 'broken pipe',
  SIGALRM: 'alarm clock',
  SIGTERM: 'terminated',
  SIGSTKFLT: 'stack fault',
  SIGCHLD: 'child exited',
  SIGCONT: 'continued',
  SIGSTOP: 'stopped (signal)',
  SIGTSTP: 'stopped',
  SIGTTIN: 'stopped (tty input)',
  SIGTTOU: 'stopped (tty output)',
  SIGURG: 'urgent I/O condition',
  SIGXCPU: 'CPU time limit exceeded',
  SIGXFSZ: 'file size limit exceeded',
  SIGVTALRM: 'virtual timer expired',
  SIGPROF: 'profiling timer expired',
  SIGWINCH: 'window changed',
  SIGIO: 'I/O possible',
  SIGPWR: 'power failure',
  SIGSYS: 'bad system call',
}

/** For this system. */
export const { signalName, exitText, parseSignal } = createExitWords(
  constants.signals,
  process.platform === 'linux',
)
