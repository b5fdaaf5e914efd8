import { closeSync, fchownSync, openSync, writeSync } from 'node:fs'
import type { Exit } from '../exit-status.ts'
import { sendSignal } from '../send-signal.ts'
import { type Account, StartError, type StartedProcess, type StartSpec } from '../types.ts'
import type { JobGroups } from './cgroup/job-groups.ts'
import type { Guardian } from './guardian.ts'
import type { Inheritance } from './inheritance.ts'
import { errnoText, type Libc, O_CLOEXEC } from './libc.ts'
import type { Mark } from './mark.ts'
import { openMemoryFile } from './memory-file.ts'
import { createOutputPipes } from './output-pipe.ts'
import type { Descriptors, Spawn, Spawner } from './posix-spawn.ts'
import type { Reaper } from './reaper.ts'
import { createSessionKeyring } from './session-keyring.ts'
import type { SetUp } from './set-up.ts'
import type { StartDurations } from './start-durations.ts'
import { readTextPipe } from './text-pipe.ts'

export interface JobStartOptions {
  libc: Libc
  mark: Mark
  reaper: Reaper
  guardian: Guardian
  inheritance: Inheritance
  spawner: Spawner
  setUp: SetUp
  groups: JobGroups
  startDurations: StartDurations
}

/** Starts jobs: real pipes for what they write (`echo x > /dev/stderr` works), a file in memory for what they read. */
export const createJobStart = (options: JobStartOptions) => {
  const { libc, mark, reaper, guardian, inheritance, spawner, setUp, groups, startDurations } = options
  const devNull = openSync('/dev/null', 'r')
  const readPipe = createOutputPipes(libc)
  const sessionKeyring = createSessionKeyring(libc)

  const pipe = (): [number, number] => {
    const ends: [number, number] = [-1, -1]
    if (libc.pipe2(ends, O_CLOEXEC) !== 0) throw new StartError(`pipe2: ${errnoText(libc.errno())}`)
    return ends
  }

  /** `joins`: what it writes to in order to be in its control groups; absent when it need not set itself up. */
  const start = async (
    spec: StartSpec,
    joins: string[] | undefined,
    spawn: Spawn,
  ): Promise<StartedProcess> => {
    if (spec.isWanted?.() === false) throw new StartError('')
    const program = joins ? setUp.programOf(spec, joins) : spec
    // Everything the child needs is opened here and closed again below, however the start ends.
    const childEnds: number[] = []
    const readEnds: number[] = []
    try {
      let stdin = devNull
      if (spec.stdin !== undefined) {
        stdin = openMemoryFile(libc, 'stdin')
        childEnds.push(stdin)
        writeAll(stdin, spec.stdin)
      }
      const [outRead, stdout] = pipe()
      readEnds.push(outRead)
      childEnds.push(stdout)
      const [errRead, stderr] = pipe()
      readEnds.push(errRead)
      childEnds.push(stderr)
      const descriptors: Descriptors = { stdin, stdout, stderr }
      let setUpRead: number | undefined
      if (joins) {
        const [read, write] = pipe()
        readEnds.push(read)
        childEnds.push(write)
        setUpRead = read
        Object.assign(descriptors, { stderr: write, others: [stderr] })
      }
      // It may open what it has as descriptors by name, /dev/stderr for example.
      if (spec.account)
        giveTo(spec.account, spec.stdin === undefined ? [stdout, stderr] : [stdin, stdout, stderr])
      // Another thread is worth its cost where starts take long, or may: a job of the agent's account can stop each new child
      // of it, as the agent itself, and a start ends when the child has become another program.
      const mayTakeLong = startDurations.areLong() || reaper.hasJobSince(SETTLED_MS)
      const background = mayTakeLong && inheritance.leavesRoomAbove(Math.max(errRead, stderr))
      const makeKnown = background ? reaper.expectStart() : undefined
      const begin = performance.now()
      let exit: Promise<Exit>
      let pid: number
      try {
        pid = await spawn(program, descriptors, { inherit: () => inheritFor(spec), background })
        exit = reaper.exitOf(pid)
      } finally {
        startDurations.add(performance.now() - begin)
        makeKnown?.()
      }
      guardian.tellLeader(spec.mark, pid)
      readEnds.length = 0 // They are the readers' now.
      const failure = setUpRead === undefined ? undefined : readSetUp(setUpRead, exit)
      const out = readPipe(outRead, bytes => spec.onOutput('stdout', bytes))
      const err = readPipe(errRead, bytes => spec.onOutput('stderr', bytes))
      const exited = exit.then(status => {
        out.drain()
        err.drain()
        return status
      })
      const outputClosed = Promise.all([out.closed, err.closed]).then(() => {})
      return {
        pid,
        exited,
        outputClosed,
        kill: signal => (reaper.holds(pid) ? sendSignal(pid, signal) : 'gone'),
        setUp: failure,
      }
    } finally {
      for (const fd of [...childEnds, ...readEnds]) closeSync(fd)
    }
  }

  const inheritFor = ({ mark: jobMark, account }: StartSpec): (() => void) => {
    const comeBack = account && sessionKeyring.leave()
    const takeMark = mark.give(jobMark)
    const takeRest = inheritance.give()
    return () => {
      comeBack?.()
      takeRest()
      takeMark()
    }
  }

  const joinsOf = async (spec: StartSpec): Promise<string[] | undefined> => {
    const { mark: jobMark, limits = {}, onOutOfMemory } = spec
    if (groups.areNeeded(limits)) return groups.create(jobMark, limits, onOutOfMemory)
    return setUp.isNeeded(spec) ? [] : undefined
  }

  return {
    async start(spec: StartSpec): Promise<StartedProcess> {
      try {
        await guardian.protect(spec.mark, spec.script)
        await spec.prepare?.()
        const joins = await joinsOf(spec)
        return await spawner.inTurn(spawn => start(spec, joins, spawn))
      } catch (error) {
        guardian.unprotect(spec.mark)
        groups.release(spec.mark)
        throw error
      }
    },

    close: (): void => closeSync(devNull),
  }
}

/** Of a job that does more than to run at once. */
const SETTLED_MS = 100

/** Written by position, so the job finds its offset at 0; memory, so it never waits for a disk. */
const writeAll = (fd: number, bytes: Uint8Array): void => {
  for (let at = 0; at < bytes.length; ) at += writeSync(fd, bytes, at, bytes.length - at, at)
}

/** See StartedProcess; `exit` is that of the process. */
const readSetUp = async (fd: number, exit: Promise<unknown>): Promise<string> => {
  const { text, isLast } = await readTextPipe(fd, 'ready', exit)
  return isLast ? '' : inWords(text) || 'its set-up has ended before it'
}

const giveTo = ({ uid, gid }: Account, fds: number[]): void => {
  for (const fd of fds) fchownSync(fd, uid, gid)
}

/** What sh and the programs before the job's own say, as Go says such things: the system's words in lower case. */
const inWords = (text: string): string =>
  text.trim().replace(/: ([A-Z])(?=[a-z ]*$)/, (_, letter: string) => `: ${letter.toLowerCase()}`)
