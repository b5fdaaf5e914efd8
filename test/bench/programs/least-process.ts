import { closeSync } from 'node:fs'
import koffi from 'koffi'
import { type Exit, parseWaitStatus } from '../../../lib/process/exit-status.ts'

const libc = koffi.load(null)
const posixSpawn = libc.func(
  'int posix_spawn(_Out_ int *pid, const char *path, void *actions, void *attr, const char **argv, const char **envp)',
)
const initActions = libc.func('int posix_spawn_file_actions_init(void *actions)')
const addDup2 = libc.func('int posix_spawn_file_actions_adddup2(void *actions, int fd, int newfd)')
const destroyActions = libc.func('int posix_spawn_file_actions_destroy(void *actions)')
const pipe2 = libc.func('int pipe2(_Out_ int *fds, int flags)')
const read = libc.func('long read(int fd, void *buffer, size_t size)')
const wait4 = libc.func('int wait4(int pid, _Out_ int *status, int options, void *usage)')
const O_CLOEXEC = 0o2000000
const WNOHANG = 1

export interface ProcessEnd {
  exit: Exit
  stdout: Buffer
  stderr: Buffer
}

const usage = Buffer.alloc(144)
const buffer = Buffer.allocUnsafeSlow(65_536)
const running = new Map<number, (exit: Exit) => void>()

/**
 * Starts bash with two pipes, by posix_spawn(3), and nothing else; returns its pid. Its output is read when it has ended,
 * so it may be no more than a pipe holds.
 */
export const startBash = (args: string[], env: string[], onEnd: (end: ProcessEnd) => void): number => {
  const [outRead, stdout] = openPipe()
  const [errRead, stderr] = openPipe()
  const pid = spawn(args, env, stdout, stderr)
  closeSync(stdout)
  closeSync(stderr)
  running.set(pid, exit => onEnd({ exit, stdout: take(outRead), stderr: take(errRead) }))
  return pid
}

const openPipe = (): [number, number] => {
  const ends: [number, number] = [-1, -1]
  if (pipe2(ends, O_CLOEXEC) !== 0) throw new Error('pipe2')
  return ends
}

const spawn = (args: string[], env: string[], stdout: number, stderr: number): number => {
  const actions = Buffer.alloc(80)
  const pid: [number] = [0]
  initActions(actions)
  addDup2(actions, stdout, 1)
  addDup2(actions, stderr, 2)
  const error = posixSpawn(pid, '/bin/bash', actions, null, ['bash', ...args, null], [...env, null])
  destroyActions(actions)
  if (error !== 0) throw new Error(`posix_spawn: ${error}`)
  return pid[0]
}

/** What is there when the process has ended. */
const take = (fd: number): Buffer => {
  const length = read(fd, buffer, buffer.length) as number
  closeSync(fd)
  return Buffer.from(buffer.subarray(0, length))
}

process.on('SIGCHLD', () => {
  for (;;) {
    const status: [number] = [0]
    const pid = wait4(-1, status, WNOHANG, usage)
    if (pid <= 0) return
    running.get(pid)?.({
      status: parseWaitStatus(status[0]),
      cpu: { user: secondsAt(0), system: secondsAt(16) },
    })
    running.delete(pid)
  }
})

/** ru_utime or ru_stime, seconds and microseconds, getrusage(2). */
const secondsAt = (at: number): number =>
  Number(usage.readBigInt64LE(at)) + Number(usage.readBigInt64LE(at + 8)) / 1e6
