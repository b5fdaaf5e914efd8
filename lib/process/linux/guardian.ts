import { closeSync, openSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Log } from '../../base/log.ts'
import { createPassingMap } from '../../base/passing-map.ts'
import type { GuardianState } from '../types.ts'
import { createGuardianTable, type GuardianTable, type Place } from './guardian-table.ts'
import { errnoText, type Libc, O_CLOEXEC } from './libc.ts'
import type { Mark } from './mark.ts'
import type { Spawn, Spawner } from './posix-spawn.ts'
import type { Reaper } from './reaper.ts'

export interface GuardianOptions {
  libc: Libc
  mark: Mark
  reaper: Reaper
  spawner: Spawner
  log: Log
  /** The directories of the control groups of jobs. */
  groupBases: string[]
}

/**
 * A shell that outlives the agent by a moment. Its input is a pipe whose other end only the agent holds, so end of
 * file means that the agent is gone, however it went: then it kills whatever bears the mark of a running job, and
 * removes their scripts, as a table in memory names them. It is started with the first job, and again whenever it
 * has ended or somebody has stopped it. While the agent lives it sleeps: a job costs it nothing.
 */
export const createGuardian = (options: GuardianOptions) => {
  const { libc, mark, reaper, spawner, log, groupBases } = options
  const program = readFileSync(join(import.meta.dirname, 'guardian.sh'), 'utf8')
  /** Where each running job stands in the table, by its mark. */
  const running = createPassingMap<number, Place>()
  let table: GuardianTable | undefined
  let shell: { pipe: number; startedAt: number } | undefined
  /** Why there is none, since the last attempt to start one. */
  let failure = ''
  let isClosed = false
  let hadOne = false
  let restarts = 0

  /** Told once, not with every job, until one could be started again. */
  const fail = (error: string): void => {
    if (failure === '') {
      log.warn(
        { error },
        'the guardian cannot be started: should the agent be killed, its jobs would live on',
      )
    }
    failure = error
  }

  const begin = async (spawn: Spawn): Promise<void> => {
    if (isClosed || shell || running.size() === 0 || !table) return
    const ends: [number, number] = [-1, -1]
    if (libc.pipe2(ends, O_CLOEXEC) !== 0) return fail(`pipe2: ${errnoText(libc.errno())}`)
    const [read, pipe] = ends
    try {
      const pid = await spawnShell(spawn, read, table.fd)
      const begun = { pipe, startedAt: performance.now() }
      shell = begun
      restarts += Number(hadOne)
      hadOne = true
      failure = ''
      void reaper.exitOf(pid, { isHelper: true }).then(() => hasEnded(begun))
    } catch (error) {
      closeSync(pipe)
      fail((error as Error).message) // It is tried again with the next job.
    } finally {
      closeSync(read)
    }
  }

  const spawnShell = async (spawn: Spawn, stdin: number, tableFile: number): Promise<number> => {
    const devNull = openSync('/dev/null', 'w')
    try {
      // In the environment the program does not fill a page of ps(1).
      const args = ['-c', 'eval "$program"', 'newdt-auto-guardian', mark.label ?? '', String(process.pid)]
      args.push(...groupBases)
      const env = { PATH: libc.getenv('PATH') ?? '', program }
      const descriptors = { stdin, stdout: devNull, stderr: devNull, others: [tableFile] }
      const sh = { file: 'sh', args, env, cwd: '/' }
      return await spawn(sh, descriptors, { inherit: () => mark.give(0) })
    } finally {
      closeSync(devNull)
    }
  }

  const hasEnded = (ended: NonNullable<typeof shell>): void => {
    if (isClosed) return
    closeSync(ended.pipe)
    if (shell === ended) shell = undefined
    // One that ends at once, again and again, must not keep the agent busy.
    const lived = performance.now() - ended.startedAt
    if (lived >= SHORTEST_LIFE_MS) void spawner.inTurn(begin)
    else setTimeout(() => spawner.inTurn(begin), SHORTEST_LIFE_MS).unref()
  }

  return {
    /**
     * From now on the agent's death is that of whatever bears the mark; `script` is removed then, too. Rejects with
     * StartError.
     */
    async protect(jobMark: number, script = ''): Promise<void> {
      if (mark.label === undefined) return fail(NO_MARK)
      table ??= createGuardianTable(libc)
      running.set(jobMark, table.add(jobMark, script))
      if (!shell) await spawner.inTurn(begin)
    },

    /** The job's own process runs. */
    tellLeader(jobMark: number, pid: number): void {
      const place = running.get(jobMark)
      if (place) table?.setLeader(place, pid)
    },

    /** The job has ended: what it has left in the background is nobody's business any more. */
    unprotect(jobMark: number): void {
      const place = running.get(jobMark)
      if (!place) return
      running.delete(jobMark)
      table?.remove(place)
    },

    state: (): GuardianState => {
      if (mark.label === undefined) return { state: 'unsupported', error: NO_MARK, restarts }
      if (failure !== '') return { state: 'missing', error: failure, restarts }
      if (shell) return { state: 'running', restarts }
      return { state: running.size() > 0 ? 'starting' : 'idle', restarts }
    },

    /** Ends it by the end of its input; for a job that is still in the table that is the end, too. */
    close(): void {
      isClosed = true
      if (shell) closeSync(shell.pipe)
      shell = undefined
      table?.close()
      table = undefined
    },
  }
}

export type Guardian = ReturnType<typeof createGuardian>

const NO_MARK = 'no resource limit is free to mark processes with'
const SHORTEST_LIFE_MS = 1000
