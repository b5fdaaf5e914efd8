import { closeSync, openSync, readdirSync, readFileSync, readlinkSync, readSync } from 'node:fs'

/** One line of /proc/<pid>/stat, proc_pid_stat(5). Times are in clock ticks (1/100 s), memory in pages. */
export interface ProcessStat {
  command: string
  /** R, S, D, T, Z … */
  state: string
  parent: number
  session: number
  startTime: number
  userTicks: number
  systemTicks: number
  residentPages: number
  threads: number
}

// The files of /proc are made by the kernel in memory: reading them synchronously never waits for a disk.

/**
 * Undefined when there is no such process, or when it has ended and nobody has reaped it yet. One whose first
 * thread has ended looks like a zombie, and lives.
 */
export const readLiving = (pid: number): ProcessStat | undefined => {
  const text = readText(`/proc/${pid}/stat`)
  const stat = text === undefined ? undefined : parseStat(text)
  if (!stat || stat.state === 'X') return undefined
  return stat.state === 'Z' && stat.threads <= 1 ? undefined : stat
}

/** Kernel threads descend from kthreadd, process 2; no job's does. */
export const isKernelThread = (pid: number, { parent }: ProcessStat): boolean => pid === 2 || parent === 2

/** A command may hold spaces and parentheses, so the fields are counted after the last `)`. */
export const parseStat = (text: string): ProcessStat | undefined => {
  const open = text.indexOf('(')
  const close = text.lastIndexOf(')')
  const fields = text.slice(close + 2).split(' ')
  if (open < 0 || close < open || fields.length < 22) return undefined
  return {
    command: text.slice(open + 1, close),
    state: fields[0]!,
    parent: Number(fields[1]),
    session: Number(fields[3]),
    startTime: Number(fields[19]),
    userTicks: Number(fields[11]),
    systemTicks: Number(fields[12]),
    residentPages: Number(fields[21]),
    threads: Number(fields[17]),
  }
}

/**
 * The direct children of this process, zombies included; undefined where the kernel does not tell. The file stays
 * open: each job asks, and a read takes a microsecond.
 */
export const openChildren = (): { read(): number[] | undefined; close(): void } => {
  let file: number
  let buffer = Buffer.alloc(4096)
  try {
    file = openSync(`/proc/self/task/${process.pid}/children`, 'r')
  } catch {
    return { read: () => undefined, close() {} }
  }
  return {
    read() {
      let length = readSync(file, buffer, 0, buffer.length, 0)
      while (length === buffer.length) {
        buffer = Buffer.alloc(2 * buffer.length)
        length = readSync(file, buffer, 0, buffer.length, 0)
      }
      return buffer.toString('latin1', 0, length).split(' ').filter(Boolean).map(Number)
    },
    close: () => closeSync(file),
  }
}

/** A process's soft limit by its label in /proc/<pid>/limits, e.g. "Max file locks"; undefined if unlimited. */
export const readSoftLimit = (pid: number, label: string): number | undefined => {
  const text = readText(`/proc/${pid}/limits`)
  if (text === undefined) return undefined
  const line = text.indexOf(label)
  // The label's column is 26 characters wide, the soft limit's 21.
  const value = line < 0 ? Number.NaN : Number(text.slice(line + 26, line + 47))
  return Number.isNaN(value) ? undefined : value
}

export const allPids = (): number[] =>
  readdirSync('/proc')
    .map(Number)
    .filter(pid => pid > 0)

/** The name of the program that a process runs; undefined when it is gone or another user's. */
export const programOf = (pid: number): string | undefined => {
  try {
    return readlinkSync(`/proc/${pid}/exe`).replace(/^.*\//, '')
  } catch {
    return undefined
  }
}

/** Undefined for a process that is gone. Throws what says nothing about it, a want of descriptors for example. */
const readText = (path: string): string | undefined => {
  try {
    // A command name is bytes; latin1 keeps each of them and cannot fail.
    return readFileSync(path, 'latin1')
  } catch (error) {
    if (GONE.has((error as NodeJS.ErrnoException).code ?? '')) return undefined
    throw error
  }
}

/** ESRCH: it ended between open and read. EACCES: its files are hidden from us, and so it is not ours. */
const GONE = new Set(['ENOENT', 'ESRCH', 'EACCES', 'EPERM'])
