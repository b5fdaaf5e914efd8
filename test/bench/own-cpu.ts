import koffi from 'koffi'

const clockGettime = koffi.load(null).func('int clock_gettime(int clock, void *time)')

/**
 * The processor time that a process has used by itself since its start, in microseconds: of all its threads, also of
 * those that have ended, and of none of its children. The clock is that of clock_getcpuclockid(3), to the nanosecond.
 */
export const ownCpuMicros = (pid: number): number => {
  const time = Buffer.alloc(16)
  if (clockGettime((~pid << 3) | CPUCLOCK_SCHED, time) !== 0) throw new Error(`process ${pid} is gone`)
  return Number(time.readBigInt64LE(0)) * 1e6 + Number(time.readBigInt64LE(8)) / 1e3
}

const CPUCLOCK_SCHED = 2
