import koffi from 'koffi'
import { correctOmission, percentile } from '../statistics.ts'

// spawn-limit.ts <concurrency> <seconds>: how many processes a second the system itself can start and wait for. No
// pipes, no HTTP, nothing but posix_spawnp(3) and waitpid(2), which blocks.
const [concurrency, seconds] = process.argv.slice(2).map(Number) as [number, number]

const libc = koffi.load(null)
const posixSpawnp = libc.func(
  'int posix_spawnp(_Out_ int *pid, const char *file, void *actions, void *attr, const char **argv, const char **envp)',
)
const waitpid = libc.func('int waitpid(int pid, _Out_ int *status, int options)')

const argv = ['bash', '-c', ':', null]
const envp = [...Object.entries(process.env).map(([name, value]) => `${name}=${value}`), null]
const begins = new Map<number, number>()

const start = (): void => {
  const pid: [number] = [0]
  const begin = performance.now()
  const error = posixSpawnp(pid, 'bash', null, null, argv, envp)
  if (error !== 0) throw new Error(`posix_spawnp: ${error}`)
  begins.set(pid[0], begin)
}

/** Waits for any to end; how long it took, in milliseconds. */
const waitForOne = (): number => {
  const pid = waitpid(-1, [0], 0)
  const begin = begins.get(pid)
  if (begin === undefined) throw new Error(`waitpid: ${pid}`)
  begins.delete(pid)
  return performance.now() - begin
}

/** Keeps as many running as there are clients, for that time; how long each took. */
const run = (ms: number): number[] => {
  const times: number[] = []
  const end = performance.now() + ms
  for (let running = 0; running < concurrency; running++) start()
  while (begins.size > 0) {
    times.push(waitForOne())
    if (performance.now() < end) start()
  }
  return times
}

const WARM_UP_MS = 100
run(WARM_UP_MS)
const begin = performance.now()
const before = process.cpuUsage()
const times = run(seconds * 1000)
const { user, system } = process.cpuUsage(before)
const totalMs = performance.now() - begin
const corrected = correctOmission(times, totalMs, concurrency)
console.log(
  JSON.stringify({
    perSecond: (times.length / totalMs) * 1000,
    p50Ms: percentile(corrected, 50),
    p99Ms: percentile(corrected, 99),
    cpuMicros: (user + system) / times.length,
  }),
)
