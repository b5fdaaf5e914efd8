import { constants, rmSync } from 'node:fs'
import { type FileHandle, lstat, open, rm } from 'node:fs/promises'
import { dirname } from 'node:path'
import { diskOf } from './disk.ts'

export interface Ballast {
  /** True while the file is there and the disk takes writes, as far as is known. */
  isHeld(): boolean
  /** Removes the file; false when that makes no room, because it is not there or cannot be removed. Never throws. */
  giveUp(): boolean
  close(): void
}

export interface BallastOptions {
  /** How much room it takes. */
  bytes?: number
  /** How much must be free before it is made. */
  enoughBytes?: number
}

/**
 * A file that does nothing but take room on the data directory's disk: when that is full, it is removed, so that how
 * the running jobs end can still be stored. Without it no job is begun; it is made again as soon as there is room and
 * the disk can be written. Resolves also when it cannot be made yet. Rejects when something else is in its place.
 */
export const openBallast = async (
  path: string,
  { bytes = BALLAST_BYTES, enoughBytes = ENOUGH_BYTES }: BallastOptions = {},
): Promise<Ballast> => {
  const found = await lstat(path).catch(() => undefined)
  // A named pipe would hold up whoever opens it; what a link leads to is somebody else's.
  if (found && !found.isFile()) throw new Error(`${path} is no regular file`)
  if (await isForeign(path))
    throw new Error(`${path} is somebody else's file, which is not removed for the agent's own`)
  let isHeld = false
  // Removing it while it is made would leave a file that is taken for one that makes room.
  let isFilling = false

  const fill = async (): Promise<void> => {
    if (isHeld || isFilling) return
    isFilling = true
    isHeld = await make(path, bytes, enoughBytes).finally(() => {
      isFilling = false
    })
  }
  await fill()
  const timer = setInterval(() => void fill(), REFILL_MS)

  return {
    isHeld: () => isHeld,

    giveUp() {
      if (!isHeld) return false
      isHeld = false
      try {
        rmSync(path)
        return true
      } catch {
        return false // The disk cannot be written, or somebody has removed the file.
      }
    },

    close: () => clearInterval(timer),
  }
}

/** True when the file is there in full and the disk has just taken a write. */
const make = async (path: string, bytes: number, enoughBytes: number): Promise<boolean> => {
  if (await isForeign(path)) return false
  try {
    if ((await lstat(path).catch(() => undefined))?.size === bytes) {
      await write(path, O_RDWR | O_NOFOLLOW | O_NONBLOCK, PROBE_BYTES)
    } else {
      // What was given up for the ends of jobs must not be taken from them again.
      if ((await diskOf(dirname(path))).freeBytes < enoughBytes) return false
      await rm(path, { force: true })
      await write(path, O_RDWR | O_CREAT | O_EXCL, bytes)
    }
    return true
  } catch {
    await rm(path, { force: true }).catch(() => {})
    return false
  }
}

/** Whether a file is there that no agent has made; false where it cannot be read. */
const isForeign = async (path: string): Promise<boolean> => {
  const file = await open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK).catch(() => undefined)
  if (!file) return false
  try {
    return await hasOther(file)
  } catch {
    return false
  } finally {
    await file.close()
  }
}

/** Whether a file has other bytes than a ballast, or more. Those that a loss of power kept from the disk are 0. */
const hasOther = async (file: FileHandle): Promise<boolean> => {
  if ((await file.stat()).size > LARGEST_BYTES) return true
  const buffer = Buffer.alloc(CHUNK_BYTES)
  const [filled, lost] = [Buffer.alloc(CHUNK_BYTES, FILLING), Buffer.alloc(CHUNK_BYTES)]
  for (;;) {
    const { bytesRead } = await file.read(buffer, 0, CHUNK_BYTES, null)
    if (bytesRead === 0) return false
    const piece = buffer.subarray(0, bytesRead)
    if (piece.equals(filled.subarray(0, bytesRead)) || piece.equals(lost.subarray(0, bytesRead))) continue
    if (piece.some(byte => byte !== FILLING && byte !== 0)) return true
  }
}

/** Writes so many bytes at the start of the file and waits for the disk. A hole would take no room. */
const write = async (path: string, flags: number, bytes: number): Promise<void> => {
  const file = await open(path, flags, 0o600)
  try {
    await file.writeFile(Buffer.alloc(bytes, FILLING))
    await file.sync()
  } finally {
    await file.close()
  }
}

const { O_CREAT, O_EXCL, O_NOFOLLOW, O_NONBLOCK, O_RDONLY, O_RDWR } = constants

/** The byte that a ballast is made of. */
const FILLING = 1
const CHUNK_BYTES = 1 << 18
/** Of any that an agent makes. */
const LARGEST_BYTES = 4 << 20

/** Room for the ends of a hundred jobs. */
const BALLAST_BYTES = 1 << 20
/** Enough to see that the disk takes writes; the file system has the room for them already. */
const PROBE_BYTES = 4096
/** How much must be free before it is made. */
const ENOUGH_BYTES = 3 << 20
const REFILL_MS = 1000
