import { open } from 'node:fs/promises'
import { dirname } from 'node:path'
import type { Log } from '../../base/log.ts'
import { diskOf } from '../disk.ts'
import type { Database } from './database.ts'
import { sizeOnDisk } from './size-on-disk.ts'

export interface RoomOptions {
  database: Pick<Database, 'path' | 'bytes' | 'checkpoint'>
  log: Log
  intervalMs?: number
}

/**
 * Watches the room on the disk, and moves what is in the database's log into the database: when there is much of it,
 * when room becomes scarce, and every minute. What is written needs room twice, in the log and then in the database.
 * The last room of the disk is for the ends of jobs; neither output nor the database grows into it, so that what is
 * in the log can always be moved, and jobs can always be removed to make room again.
 */
export const createRoom = ({ database, log, intervalMs = INTERVAL_MS }: RoomOptions) => {
  const { path } = database
  /** How much may still be written, as far as is known. */
  let left = Number.POSITIVE_INFINITY
  let isSpent = true
  let movedAt = performance.now()
  let lookedAt = Number.NEGATIVE_INFINITY
  let isLooking = false
  let isFailing = false
  let isClosed = false

  const measure = async () => {
    const [{ freeBytes }, { fileBytes, logBytes }] = await Promise.all([
      diskOf(dirname(path)),
      sizeOnDisk(path),
    ])
    const growth = isClosed ? 0 : Math.max(0, database.bytes() - fileBytes)
    return { free: freeBytes - growth - LAST_ROOM_BYTES, growth, logBytes }
  }

  /** Whether what is in the log was moved, or nothing was. Never rejects. */
  const checkpoint = async (isDue: (logBytes: number, free: number) => boolean): Promise<boolean> => {
    try {
      const before = await measure()
      left = before.free / 2
      if (isClosed || before.logBytes === 0 || !isDue(before.logBytes, before.free)) return true
      if (before.growth > 0 && before.free < 0) return false
      // What fails here is found out below.
      await syncLog(path).catch(() => {})
      const { free, growth, logBytes } = await measure()
      left = free / 2
      if (isClosed) return true
      if (growth > 0 && free < 0) return false
      movedAt = performance.now()
      database.checkpoint()
      // The file of the log is empty now.
      left = (free + logBytes) / 2
      isFailing = false
      return true
    } catch (err) {
      // A directory that is gone is told by who watches it.
      const isGone = (err as NodeJS.ErrnoException).code === 'ENOENT'
      if (!isFailing && !isGone) log.error({ err }, 'the log of the database could not be moved into it')
      isFailing = true
      return false
    }
  }

  const isDue = (logBytes: number, free: number): boolean =>
    logBytes >= LARGE_LOG_BYTES ||
    (free < SCARCE_BYTES && logBytes > SMALL_LOG_BYTES) ||
    performance.now() - movedAt >= LONGEST_MS

  const look = async (): Promise<void> => {
    if (isLooking) return // A disk that does not answer must not collect questions.
    if (!isSpent && performance.now() - lookedAt < IDLE_MS) return
    isLooking = true
    isSpent = false
    await checkpoint(isDue)
    lookedAt = performance.now()
    isLooking = false
  }
  const timer = setInterval(() => void look(), intervalMs)

  return {
    /** False when only the last room is left. */
    isThere: (): boolean => left > 0,

    /** So many bytes are about to be written. */
    spend(bytes: number): void {
      left -= bytes
      isSpent = true
    },

    /** Moves what is in the log now; false when there is no room for that. Never rejects. */
    checkpoint: (): Promise<boolean> => checkpoint(() => true),

    close(): void {
      isClosed = true
      clearInterval(timer)
    },
  }
}

export type Room = ReturnType<typeof createRoom>

/**
 * Has what is in the log on the disk before it is moved: that is most of what moving it waits for, and here nobody waits.
 * No descriptor of the database itself may be closed here: SQLite's locks would go with it, see fcntl(2).
 */
const syncLog = async (path: string): Promise<void> => {
  await using log = await open(`${path}-wal`)
  await log.datasync()
}

/** A page that was written a hundred times until then is moved once. */
const LARGE_LOG_BYTES = 16 << 20
const SMALL_LOG_BYTES = 1 << 20
/** Where so little is free, the log must not take much of it. */
const SCARCE_BYTES = 64 << 20
const LONGEST_MS = 60_000
const INTERVAL_MS = 250
/** Others fill the disk too. */
const IDLE_MS = 5000
/** As much as the ballast wants to have free before it takes its own room. */
const LAST_ROOM_BYTES = 3 << 20
