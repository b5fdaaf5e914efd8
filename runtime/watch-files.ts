import { stat } from 'node:fs/promises'

export interface FileWatchOptions {
  paths: readonly string[]
  /** Of the files when what is in use was read. */
  version: string
  /** Called when a file has changed; returns the version that it has read. Never rejects. */
  onChange(): Promise<string | undefined>
  intervalMs?: number
}

/** Looks every second whether a file has changed: that works on every file system, and for files that are replaced. */
export const watchFiles = ({ paths, version, onChange, intervalMs = INTERVAL_MS }: FileWatchOptions) => {
  let seen = version
  let isLooking = false

  const look = async (): Promise<void> => {
    const now = await versionOf(paths)
    if (now === seen) return
    seen = now
    seen = (await onChange()) ?? now
  }

  const timer = setInterval(() => {
    if (isLooking) return // A disk that does not answer must not collect questions.
    isLooking = true
    void look().finally(() => {
      isLooking = false
    })
  }, intervalMs).unref()

  return { close: (): void => clearInterval(timer) }
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
