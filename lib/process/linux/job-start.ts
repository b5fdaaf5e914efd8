import { closeSync, openSync, writeSync } from 'node:fs'
import type { Exit } from '../exit-status.ts'
import { sendSignal } from '../send-signal.ts'
import { StartError, type StartedProcess, type StartSpec } from '../types.ts'
import type { Guardian } from './guardian.ts'
import type { Inheritance } from './inheritance.ts'
import { errnoText, type Libc, O_CLOEXEC } from './libc.ts'
import type { Mark } from './mark.ts'
import { openMemoryFile } from './memory-file.ts'
import { createOutputPipes } from './output-pipe.ts'
import type { Spawn, Spawner } from './posix-spawn.ts'
import type { Reaper } from './reaper.ts'

export interface JobStartOptions {
  libc: Libc
  mark: Mark
  reaper: Reaper
  guardian: Guardian
  inheritance: Inheritance
  spawner: Spawner
}

/** Starts jobs: real pipes for what they write (`echo x > /dev/stderr` works), a file in memory for what they read. */
export const createJobStart = (options: JobStartOptions) => {
  const { libc, mark, reaper, guardian, inheritance, spawner } = options
  const devNull = openSync('/dev/null', 'r')
  const readPipe = createOutputPipes(libc)

  const pipe = (): [number, number] => {
    const ends: [number, number] = [-1, -1]
    if (libc.pipe2(ends, O_CLOEXEC) !== 0) throw new StartError(`pipe2: ${errnoText(libc.errno())}`)
    return ends
  }

  const start = async (spec: StartSpec, spawn: Spawn): Promise<StartedProcess> => {
    if (spec.isWanted?.() === false) throw new StartError('')
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
      // A start takes as long as others need the processors: where there are others, the agent goes on meanwhile.
      const background = reaper.countRunning() > 0 && inheritance.leavesRoomAbove(Math.max(errRead, stderr))
      const makeKnown = reaper.expectStart()
      let exit: Promise<Exit>
      let pid: number
      try {
        pid = await spawn(
          spec,
          { stdin, stdout, stderr },
          { inherit: () => inheritFor(spec.mark), background },
        )
        exit = reaper.exitOf(pid)
      } finally {
        makeKnown()
      }
      guardian.tellLeader(spec.mark, pid)
      readEnds.length = 0 // They are the readers' now.
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
      }
    } finally {
      for (const fd of [...childEnds, ...readEnds]) closeSync(fd)
    }
  }

  const inheritFor = (jobMark: number): (() => void) => {
    const takeMark = mark.give(jobMark)
    const takeRest = inheritance.give()
    return () => {
      takeRest()
      takeMark()
    }
  }

  return {
    async start(spec: StartSpec): Promise<StartedProcess> {
      try {
        await guardian.protect(spec.mark, spec.script)
        await spec.prepare?.()
        return await spawner.inTurn(spawn => start(spec, spawn))
      } catch (error) {
        guardian.unprotect(spec.mark)
        throw error
      }
    },

    close: (): void => closeSync(devNull),
  }
}

/** Written by position, so the job finds its offset at 0; memory, so it never waits for a disk. */
const writeAll = (fd: number, bytes: Uint8Array): void => {
  for (let at = 0; at < bytes.length; ) at += writeSync(fd, bytes, at, bytes.length - at, at)
}
