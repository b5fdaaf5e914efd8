import { type Stats, statSync } from 'node:fs'
import { stat } from 'node:fs/promises'

export interface DataDirectoryOptions {
  /** The database file, which must have been opened just before. */
  path: string
  /** Called once, when the path leads to another file or to none. */
  onGone: () => void
  intervalMs?: number
}

/**
 * Notices that the data directory was deleted or replaced: SQLite goes on writing to a file that no longer has a name,
 * and a second agent could take the place. An error other than "not there" says nothing, and is looked at again.
 * Throws when the file is not there to begin with.
 */
export const watchDataDirectory = ({ path, onGone, intervalMs = INTERVAL_MS }: DataDirectoryOptions) => {
  const opened = statSync(path)
  let isGone = false
  let isLooking = false

  const look = async (): Promise<void> => {
    if (isLooking) return // A disk that does not answer must not collect questions.
    isLooking = true
    const found = await stat(path).catch(unlessMissing)
    isLooking = false
    if (found === 'unknown' || isSameFile(opened, found)) return
    isGone = true
    clearInterval(timer)
    if (!isClosed) onGone()
  }
  let isClosed = false
  const timer = setInterval(() => void look(), intervalMs)

  return {
    isGone: (): boolean => isGone,
    close(): void {
      isClosed = true
      clearInterval(timer)
    },
  }
}

const unlessMissing = ({ code }: NodeJS.ErrnoException): undefined | 'unknown' =>
  code === 'ENOENT' || code === 'ENOTDIR' ? undefined : 'unknown'

/** An inode number is used again once its file is deleted, but this one is still open. */
const isSameFile = (opened: Stats, found: Stats | undefined): boolean =>
  found?.ino === opened.ino && found.dev === opened.dev

const INTERVAL_MS = 3000
