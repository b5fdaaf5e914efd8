import { stat } from 'node:fs/promises'

/** What a database takes on the disk: its file, and the log beside it. Rejects when the file is not there. */
export const sizeOnDisk = async (path: string): Promise<{ fileBytes: number; logBytes: number }> => {
  const [file, log] = await Promise.all([stat(path), stat(`${path}-wal`).catch(() => ({ size: 0 }))])
  return { fileBytes: file.size, logBytes: log.size }
}
