import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { realpath, stat } from 'node:fs/promises'
import { constants } from 'node:os'
import { getSystemErrorMessage, promisify } from 'node:util'
import type { Exit } from '../exit-status.ts'
import { sendSignal } from '../send-signal.ts'
import {
  LIMIT_NAMES,
  type LimitSupport,
  type LivingProcess,
  type Processes,
  StartError,
  type StartedProcess,
  type StartSpec,
  type Target,
} from '../types.ts'

/**
 * Processes where there is no posix_spawn layer (macOS), through node:child_process. Its limits: `> /dev/stderr`
 * fails in a job (Node gives it socket pairs), core dumps are not told, real-time signals look like success, and
 * a process that leaves both its group and its parents (a double fork with setsid) is not found again; a job starts in
 * what bears the name of its directory by then.
 */
export const createNodeProcesses = (): Processes => ({
  newMark: () => 0,
  openDirectory: async path => ({ path: await realpath(path), fd: undefined, [Symbol.dispose]() {} }),
  start,
  startHelper: undefined,
  leaveThreads: () => {},
  unguard: () => {},
  find,
  mayHaveLeft: () => true,
  guardian: () => ({ state: 'unsupported', error: 'this system has none', restarts: 0 }),
  close: () => {},
  killAtOnce: async () => {},
  needsSetUp: () => false,
  limitAllJobs: () => {},
  noNewPrivilegesSupport: () => 'this system has none',
  findAccount: async () => undefined,
  userSupport: () => MISSING,
  limitSupport: () => NO_LIMITS,
  usage: async (_target, exit) => ({
    // Its CPU time is not known here, see NO_CPU_TIME.
    cpu: null,
    memory: null,
    peakMemory: null,
    peakProcesses: null,
    readBytes: exit?.io?.readBytes ?? null,
    writtenBytes: exit?.io?.writtenBytes ?? null,
  }),
  wasOutOfMemory: () => false,
  signal: ({ pid }, signal) => sendSignal(pid, signal),
})

const MISSING = 'this system has no way to do it'
const NO_LIMITS = Object.fromEntries(LIMIT_NAMES.map(name => [name, { missing: MISSING }])) as LimitSupport

const start = async (spec: StartSpec): Promise<StartedProcess> => {
  if (spec.noNewPrivileges) throw new StartError(`no new privileges: ${MISSING}`)
  await spec.prepare?.()
  await checkDirectory(pathOf(spec.cwd))
  if (spec.isWanted?.() === false) throw new StartError('')
  const child = await spawned(spec)
  const exited = once(child, 'exit').then(([code, signal]) => exitOf(code, signal))
  child.stdin?.on('error', () => {}) // EPIPE: the job does not read its input.
  child.stdin?.end(spec.stdin)
  child.stdout?.on('data', (bytes: Buffer) => spec.onOutput('stdout', bytes))
  child.stderr?.on('data', (bytes: Buffer) => spec.onOutput('stderr', bytes))
  const outputClosed = once(child, 'close').then(() => {})
  return {
    pid: child.pid!,
    exited,
    outputClosed,
    kill: signal => (hasEnded(child) ? 'gone' : sendSignal(child.pid!, signal)),
  }
}

const pathOf = (cwd: StartSpec['cwd']): string | undefined => (typeof cwd === 'object' ? cwd.path : cwd)

const hasEnded = ({ exitCode, signalCode }: ChildProcess): boolean => exitCode !== null || signalCode !== null

const spawned = async (spec: StartSpec): Promise<ChildProcess> => {
  try {
    const { file, args } = spec
    const cwd = pathOf(spec.cwd)
    const env = { ...spec.env, ...spec.ownEnv }
    const stdin = spec.stdin === undefined ? 'ignore' : 'pipe'
    const child = spawn(file, args, { cwd, env, detached: true, stdio: [stdin, 'pipe', 'pipe'] })
    if (child.pid === undefined) throw (await once(child, 'error'))[0]
    return child
  } catch (error) {
    const { code, errno } = error as NodeJS.ErrnoException
    if (code === 'ENOENT') throw new StartError(`exec: "${spec.file}": executable file not found in $PATH`)
    throw new StartError(`fork/exec ${spec.file}: ${errorText(errno)}`)
  }
}

/** spawn(2) reports a missing directory as a missing program. */
const checkDirectory = async (directory: string | undefined): Promise<void> => {
  if (directory === undefined) return
  const found = await stat(directory).catch((error: NodeJS.ErrnoException) => {
    throw new StartError(`chdir ${directory}: ${errorText(error.errno)}`)
  })
  if (!found.isDirectory()) throw new StartError(`chdir ${directory}: not a directory`)
}

/** The group that the leader founded, and all that descends from it or from a member. */
const find = async ({ pid: leader }: Target): Promise<LivingProcess[]> => {
  if (leader <= 0) return []
  const { stdout } = await promisify(execFile)('ps', ['-A', '-o', 'pid=,ppid=,pgid=,stat=,rss=,comm='])
  const rows = stdout
    .split('\n')
    .map(line => line.trim().split(/\s+/))
    .filter(([pid, , , state]) => pid && state && !state.startsWith('Z'))
    .map(([pid, parent, group, state, rss, ...command]) => ({
      pid: Number(pid),
      startTime: 0,
      mark: undefined,
      parent: Number(parent),
      group: Number(group),
      state: state!.slice(0, 1),
      command: command.join(' '),
      cpu: NO_CPU_TIME,
      residentBytes: Number(rss) * 1024,
    }))
  const ours = new Set(rows.filter(row => row.group === leader).map(row => row.pid))
  for (let before = -1; before < ours.size; ) {
    before = ours.size
    for (const row of rows) if (ours.has(row.parent)) ours.add(row.pid)
  }
  return rows.filter(row => ours.has(row.pid)).map(({ group: _, ...living }) => living)
}

/** libuv does not hand on what wait4(2) tells of it. */
const NO_CPU_TIME = { user: 0, system: 0 }

const exitOf = (code: number | null, signal: NodeJS.Signals | null): Exit => ({
  status: {
    exitCode: code ?? 0,
    signal: signal === null ? 0 : constants.signals[signal],
    coreDumped: false,
  },
  cpu: NO_CPU_TIME,
})

const errorText = (errno = 0): string => getSystemErrorMessage(errno) ?? `errno ${errno}`
