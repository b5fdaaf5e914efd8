import { createHash } from 'node:crypto'
import { stat } from 'node:fs/promises'
import { withRegularFile } from './regular-file.ts'

export interface FileWatchOptions<Loaded> {
  paths: readonly string[]
  /** Of the files when what is in use was read. */
  version: string
  /** Reads files that have changed; rejects with an Error that says what is wrong with them. */
  load(): Promise<Loaded>
  /** What was read is to be used from now on. */
  onLoaded(loaded: Loaded): void | Promise<void>
  /** Called once for each fault of the same files, however often they are looked at. */
  onFault(message: string): void | Promise<void>
  intervalMs?: number
}

/**
 * Looks every second whether a file has changed: that works on every file system, and for files that are replaced. A
 * change is taken up when the next look finds the files as the last one did, so that none is read half-written; and
 * tried again at every look until it could be: what is wrong may have nothing to do with the files (EMFILE), and the
 * change may be that a key was revoked. So files that do not rest are read all the same at the third look that finds
 * them changed, as long as they stay the same while they are read.
 */
export const watchFiles = <Loaded>(options: FileWatchOptions<Loaded>) => {
  const { paths, version, load, onLoaded, onFault, intervalMs = INTERVAL_MS } = options
  let taken = version
  let seen = version
  /** How many looks in a row have found other files than the look before. */
  let restless = 0
  /** Of the files that were taken up last; undefined for those from before. */
  let content: string | undefined
  let told: string | undefined
  let isLooking = false
  let isClosed = false

  const look = async (): Promise<void> => {
    const now = await versionOf(paths)
    restless = now === seen ? 0 : restless + 1
    seen = now
    if (now === taken) told = undefined
    else if (restless === 0 || restless >= MOST_RESTLESS) await takeUp(now)
  }

  const takeUp = async (now: string): Promise<void> => {
    try {
      const loaded = await load()
      const read = await contentOf(paths)
      // Changed while it was read: what was read may be half of it.
      if (isClosed || (await versionOf(paths)) !== now) return
      // Files that are only touched, over and over, change nothing.
      if (read !== content || told !== undefined) await onLoaded(loaded)
      content = read
      taken = now
      told = undefined
      restless = 0
    } catch (error) {
      const { message } = error as Error
      // What is wrong with files that are being written may be another thing at each look.
      const fault = restless === 0 ? `${now} ${message}` : 'restless'
      if (isClosed || told === fault) return
      told = fault
      await onFault(message)
    }
  }

  const timer = setInterval(() => {
    if (isLooking) return // A disk that does not answer must not collect questions.
    isLooking = true
    void look().finally(() => {
      isLooking = false
    })
  }, intervalMs).unref()

  return {
    close(): void {
      isClosed = true
      clearInterval(timer)
    },
  }
}

/** SHA-256 of what is in the files. */
const contentOf = async (paths: readonly string[]): Promise<string> => {
  const all = createHash('sha256')
  for (const path of paths) {
    const bytes = await withRegularFile(path, file => file.readFile())
    all.update(`${bytes.length} `).update(bytes)
  }
  return all.digest('hex')
}

/** Changes when a file does; a file that is replaced has another inode. */
export const versionOf = async (paths: readonly string[]): Promise<string> => {
  const stats = await Promise.all(paths.map(path => stat(path, { bigint: true }).catch(() => undefined)))
  return stats
    .map(file =>
      file ? [file.dev, file.ino, file.size, file.mode, file.mtimeNs, file.ctimeNs].join() : 'missing',
    )
    .join(' ')
}

const INTERVAL_MS = 1000
const MOST_RESTLESS = 3
