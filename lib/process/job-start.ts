import { closeSync, openSync, writeSync } from 'node:fs'
import type { Guardian } from './guardian.ts'
import type { Inheritance } from './inheritance.ts'
import { type Libc, O_CLOEXEC } from './libc.ts'
import type { Mark } from './mark.ts'
import { openMemoryFile } from './memory-file.ts'
import { createOutputPipes } from './output-pipe.ts'
import { errnoText, type PosixSpawn } from './posix-spawn.ts'
import type { Reaper } from './reaper.ts'
import { StartError, type StartedProcess, type StartSpec } from './spawn.ts'

export interface JobStartOptions {
  libc: Libc
  mark: Mark
  reaper: Reaper
  guardian: Guardian
  inheritance: Inheritance
  spawn: PosixSpawn
}

/** Starts jobs: real pipes for what they write (`echo x > /dev/stderr` works), a file in memory for what they read. */
export const createJobStart = ({ libc, mark, reaper, guardian, inheritance, spawn }: JobStartOptions) => {
  const devNull = openSync('/dev/null', 'r')
  const readPipe = createOutputPipes(libc)

  const pipe = (): [number, number] => {
    const ends: [number, number] = [-1, -1]
    if (libc.pipe2(ends, O_CLOEXEC) !== 0) throw new StartError(`pipe2: ${errnoText(libc.errno())}`)
    return ends
  }

  const start = (spec: StartSpec): StartedProcess => {
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
      const pid = spawn(spec, { stdin, stdout, stderr }, call =>
        mark.during(spec.mark, () => inheritance.during(call)),
      )
      guardian.tellLeader(spec.mark, pid)
      readEnds.length = 0 // They are the readers' now.
      const out = readPipe(outRead, bytes => spec.onOutput('stdout', bytes))
      const err = readPipe(errRead, bytes => spec.onOutput('stderr', bytes))
      const exited = reaper.exitOf(pid).then(exit => {
        out.drain()
        err.drain()
        return exit
      })
      const outputClosed = Promise.all([out.closed, err.closed]).then(() => {})
      return { pid, exited, outputClosed, kill: signal => reaper.holds(pid) && process.kill(pid, signal) }
    } finally {
      for (const fd of [...childEnds, ...readEnds]) closeSync(fd)
    }
  }

  return async (spec: StartSpec): Promise<StartedProcess> => {
    guardian.protect(spec.mark, spec.script)
    try {
      return start(spec)
    } catch (error) {
      guardian.release(spec.mark)
      throw error
    }
  }
}

/** Written by position, so the job finds its offset at 0; memory, so it never waits for a disk. */
const writeAll = (fd: number, bytes: Uint8Array): void => {
  for (let at = 0; at < bytes.length; ) at += writeSync(fd, bytes, at, bytes.length - at, at)
}
