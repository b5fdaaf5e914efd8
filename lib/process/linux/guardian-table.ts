import { closeSync, writeSync } from 'node:fs'
import type { Libc } from './libc.ts'
import { openMemoryFile } from './memory-file.ts'

/** Where a line stands in the table; its size is a power of two, and it begins at a multiple of it. */
export interface Place {
  at: number
  size: number
}

/**
 * The running jobs, for the guardian to read once the agent is gone: a file in memory with a line a place,
 * "+ <mark> <pid of its leader, or 0> <script file, or nothing>", padded with blanks; a free place begins with `-`.
 * Lines are written in place, and none crosses a page (but one with a path of 4 KB), so each is whole whenever the
 * agent dies. Throws StartError.
 */
export const createGuardianTable = (libc: Libc) => {
  const fd = openMemoryFile(libc, 'running-jobs')
  const free = new Map<number, Place[]>()
  let end = 0

  const write = (line: string, { at, size }: Place): void => {
    writeSync(fd, `${line}${' '.repeat(size - 1 - Buffer.byteLength(line))}\n`, at)
  }

  const setFree = (place: Place): void => {
    const places = free.get(place.size)
    if (places) places.push(place)
    else free.set(place.size, [place])
  }

  const newPlace = (size: number): Place => {
    // Up to the next multiple of its size there are places of smaller sizes, for others.
    for (let gap = end & -end; end % size !== 0; gap = end & -end) {
      const between = { at: end, size: gap }
      write('-', between)
      setFree(between)
      end += gap
    }
    const place = { at: end, size }
    end += size
    return place
  }

  return {
    /** A descriptor of the file; whoever reads it begins at its start. */
    fd,

    add(mark: number, script: string): Place {
      const path = script.includes('\n') ? '' : script
      const line = `+ ${mark} ${'0'.padStart(PID_WIDTH)} ${path}`
      const size = Math.max(SMALLEST_PLACE, 2 ** Math.ceil(Math.log2(Buffer.byteLength(line) + 1)))
      const place = free.get(size)?.pop() ?? newPlace(size)
      write(line, place)
      return place
    },

    setLeader({ at }: Place, pid: number): void {
      writeSync(fd, String(pid).padStart(PID_WIDTH), at + PID_AT)
    },

    remove(place: Place): void {
      writeSync(fd, '-', place.at)
      setFree(place)
    },

    close: (): void => closeSync(fd),
  }
}

export type GuardianTable = ReturnType<typeof createGuardianTable>

/** Enough for a job without a script. */
const SMALLEST_PLACE = 64
/** Marks have 16 digits, mark.ts. */
const PID_AT = '+ 1234567890123456 '.length
const PID_WIDTH = 10
