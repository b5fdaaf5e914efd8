import { rmSync } from 'node:fs'
import { open, rm, stat, statfs } from 'node:fs/promises'
import { dirname } from 'node:path'

/**
 * A file that does nothing but take room on the data directory's disk: when that is full, it is removed, so that how
 * the running jobs end can still be stored. Without it no job is begun; it is made again as soon as there is room.
 */
export const openBallast = async (path: string) => {
  let held = false

  const fill = async (): Promise<void> => {
    try {
      if ((await stat(path).catch(() => undefined))?.size !== BALLAST_BYTES) {
        // What was given up for the ends of jobs must not be taken from them again.
        const { bavail, bsize } = await statfs(dirname(path))
        if (bavail * bsize < ENOUGH_BYTES) return
        await write(path)
      }
      held = true
    } catch {
      await rm(path, { force: true }).catch(() => {})
    }
  }
  await fill()
  const timer = setInterval(() => {
    if (!held) void fill()
  }, REFILL_MS)

  return {
    isHeld: (): boolean => held,

    /** Makes room; false if that was done before. */
    release(): boolean {
      if (!held) return false
      held = false
      rmSync(path, { force: true })
      return true
    },

    close: (): void => clearInterval(timer),
  }
}

export type Ballast = Awaited<ReturnType<typeof openBallast>>

/** Written in full: a hole would take no room. */
const write = async (path: string): Promise<void> => {
  const file = await open(path, 'w', 0o600)
  try {
    await file.writeFile(Buffer.alloc(BALLAST_BYTES, 1))
    await file.sync()
  } finally {
    await file.close()
  }
}

/** Room for the ends of thousands of jobs. */
const BALLAST_BYTES = 1 << 20
/** How much must be free before it is made. */
const ENOUGH_BYTES = 3 << 20
const REFILL_MS = 1000
