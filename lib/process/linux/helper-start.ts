import { closeSync, openSync, writeSync } from 'node:fs'
import { Socket } from 'node:net'
import type { Exit } from '../exit-status.ts'
import type { Helper, HelperSpec } from '../helper.ts'
import { sendSignal } from '../send-signal.ts'
import { StartError } from '../types.ts'
import { errnoText, type Libc, O_CLOEXEC } from './libc.ts'
import type { Mark } from './mark.ts'
import type { Spawn, Spawner } from './posix-spawn.ts'
import type { Reaper } from './reaper.ts'

export interface HelperStartOptions {
  libc: Libc
  mark: Mark
  reaper: Reaper
  spawner: Spawner
}

/**
 * Starts helpers. No limit of jobs is theirs, and the guardian does not know them: the end of their input tells them of
 * the agent's death. Their mark tells that they, and what they leave behind, are the agent's to reap.
 */
export const createHelperStart = ({ libc, mark, reaper, spawner }: HelperStartOptions) => {
  const pipe = (opened: number[]): [number, number] => {
    const ends: [number, number] = [-1, -1]
    if (libc.pipe2(ends, O_CLOEXEC) !== 0) throw new StartError(`pipe2: ${errnoText(libc.errno())}`)
    opened.push(...ends)
    return ends
  }

  const start = async ({ file, args, env, isWanted }: HelperSpec, spawn: Spawn): Promise<Helper> => {
    if (!isWanted()) throw new StartError('')
    const opened: number[] = []
    try {
      const [stdin, input] = pipe(opened)
      const [output, stdout] = pipe(opened)
      const stderr = openSync('/dev/null', 'w')
      opened.push(stderr)
      const makeKnown = reaper.expectStart()
      let pid: number
      let exited: Promise<Exit>
      try {
        const program = { file, args, env, cwd: undefined }
        const inherit = () => mark.give(mark.newMark())
        pid = await spawn(program, { stdin, stdout, stderr }, { inherit, background: true })
        exited = reaper.exitOf(pid, { isHelper: true })
      } finally {
        makeKnown()
      }
      opened.splice(0, opened.length, stdin, stdout, stderr)
      return helperOf(pid, input, output, exited)
    } finally {
      for (const fd of opened) closeSync(fd)
    }
  }

  const helperOf = (pid: number, input: number, outputEnd: number, exited: Promise<Exit>): Helper => {
    const output = new Socket({ fd: outputEnd, readable: true, writable: false })
    output.on('error', () => {}) // 'close' follows.
    let isEnded = false
    const end = (word: string): void => {
      output.destroy()
      if (isEnded) return
      isEnded = true
      try {
        if (word !== '') writeSync(input, word)
      } catch {
        // EPIPE: it has ended by itself.
      }
      closeSync(input)
    }
    return {
      output,
      exited: exited.then(() => end('')),
      finish: () => end('\n'),
      kill(): void {
        // It founded its group. As long as it is not reaped, the group is its own.
        if (reaper.holds(pid)) sendSignal(-pid, 'SIGKILL')
        end('')
      },
    }
  }

  return (spec: HelperSpec): Promise<Helper> => spawner.inTurn(spawn => start(spec, spawn))
}
