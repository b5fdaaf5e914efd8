import { statfs } from 'node:fs/promises'

export interface Disk {
  /** For the agent's account: some room may be kept for root. */
  freeBytes: number
  totalBytes: number
}

/** The file system of a directory. */
export const diskOf = async (directory: string): Promise<Disk> => {
  // bsize is the best size to read and write, on virtiofs 256 times as much; older versions of Node know no other.
  const { bavail, blocks, bsize, frsize = bsize } = await statfs(directory)
  return { freeBytes: bavail * frsize, totalBytes: blocks * frsize }
}
