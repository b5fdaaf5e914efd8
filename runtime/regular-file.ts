import type { Stats } from 'node:fs'
import { constants, type FileHandle, open } from 'node:fs/promises'

/**
 * Hands over a file that is open for reading, and closes it. Rejects when it is none: a pipe in its place, which
 * nobody writes to, would hold up whoever opens it, for good, and the end of the agent with it.
 */
export const withRegularFile = async <T>(
  path: string,
  use: (file: FileHandle, stats: Stats) => Promise<T>,
): Promise<T> => {
  const file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK)
  try {
    const stats = await file.stat()
    if (!stats.isFile()) throw new Error(`${path}: it is no regular file`)
    return await use(file, stats)
  } finally {
    await file.close()
  }
}
