import { hash } from 'node:crypto'
import { type FileHandle, open, readdir, readFile, rename, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import {
  AUDIT_FILE,
  AUDIT_HEAD_FILE,
  type AuditHead,
  EMPTY_HEAD,
  fullFileName,
  isFullFileName,
  parseHead,
} from './audit-line.ts'

/**
 * The files of a trail: lines are added to one until it is full, and where the chain is stands in another. Nothing may
 * be called while something else of it is under way. Rejects when they cannot be opened.
 */
export const openAuditFiles = async (directory: string) => {
  const path = join(directory, AUDIT_FILE)
  const headPath = join(directory, AUDIT_HEAD_FILE)
  let lines = await open(path, 'a+', 0o600)
  let head = await openHeadFile(headPath)
  let size = await endOfLastLine(lines)
  /** A write has failed and may have left half a line. */
  let isTorn = false

  /** Half a line would look like a changed one. */
  const cutOff = async (): Promise<void> => {
    await lines.truncate(size)
    isTorn = false
  }

  return {
    /** Where the chain ends, and where it ended for who has written last; undefined when nobody has said so. */
    async findHeads(): Promise<{ last: AuditHead; told: AuditHead | undefined }> {
      const last = (await headOf(lines, size)) ?? (await headOfNewestFull(directory)) ?? EMPTY_HEAD
      return { last, told: parseHead(await readFile(headPath, 'utf8')) }
    },

    /** Adds whole lines, all or none. */
    async append(text: string): Promise<void> {
      const bytes = Buffer.from(text)
      if (isTorn) await cutOff()
      try {
        for (let at = 0; at < bytes.length; ) at += (await lines.write(bytes, at)).bytesWritten
      } catch (error) {
        isTorn = true
        await cutOff().catch(() => {}) // It is tried again with the next line.
        throw error
      }
      size += bytes.length
    },

    /** Always as long, so that a shorter one leaves no rest of a longer one. */
    async writeHead(newest: AuditHead): Promise<void> {
      await head.write(`${JSON.stringify(newest).padEnd(HEAD_BYTES - 1)}\n`, 0)
    },

    size: (): number => size,

    /** Begins the next file, and removes the oldest but `keep` full ones. */
    async rotate(newest: AuditHead, keep: number): Promise<void> {
      await rename(path, join(directory, fullFileName(newest.seq)))
      const full = lines
      lines = await open(path, 'a+', 0o600)
      size = 0
      await full.close()
      await removeOldest(directory, keep)
    },

    /** Whether somebody has removed a file, or put another one in its place. */
    async areGone(): Promise<boolean> {
      const [same, sameHead] = await Promise.all([isAt(path, lines), isAt(headPath, head)])
      return !same || !sameHead
    },

    /** Goes on with the files that are there now. */
    async reopen(): Promise<void> {
      const old = [lines, head]
      lines = await open(path, 'a+', 0o600)
      head = await openHeadFile(headPath)
      size = await endOfLastLine(lines)
      await Promise.all(old.map(file => file.close()))
    },

    async close(): Promise<void> {
      await Promise.all([lines.close(), head.close()])
    },
  }
}

const isAt = async (path: string, file: FileHandle): Promise<boolean> => {
  const [there, own] = await Promise.all([stat(path).catch(() => undefined), file.stat()])
  return there?.ino === own.ino && there.dev === own.dev
}

/** Cuts off half a line: whoever asked has never got an answer. */
const endOfLastLine = async (file: FileHandle): Promise<number> => {
  const { size } = await file.stat()
  const end = (await lastIndexOfLineFeed(file, size)) + 1
  if (end < size) await file.truncate(end)
  return end
}

const lastIndexOfLineFeed = async (file: FileHandle, before: number): Promise<number> => {
  const piece = Buffer.alloc(PIECE_BYTES)
  for (let end = before; end > 0; ) {
    const start = Math.max(0, end - PIECE_BYTES)
    const { bytesRead } = await file.read(piece, 0, end - start, start)
    const at = piece.subarray(0, bytesRead).lastIndexOf(LINE_FEED)
    if (at >= 0) return start + at
    end = start
  }
  return -1
}

/** Of the last line of a file that ends with a line feed at `size`; undefined for an empty file. */
const headOf = async (file: FileHandle, size: number): Promise<AuditHead | undefined> => {
  if (size === 0) return undefined
  const start = (await lastIndexOfLineFeed(file, size - 1)) + 1
  const line = Buffer.alloc(size - 1 - start)
  await file.read(line, 0, line.length, start)
  try {
    const { seq } = JSON.parse(line.toString()) as { seq: unknown }
    return { seq: Number.isSafeInteger(seq) ? (seq as number) : 0, hash: hash('sha256', line) }
  } catch {
    return { seq: 0, hash: hash('sha256', line) } // Somebody has written into it; the chain tells.
  }
}

/** After a rotation that was not finished. */
const headOfNewestFull = async (directory: string): Promise<AuditHead | undefined> => {
  const newest = (await fullFiles(directory)).at(-1)
  if (newest === undefined) return undefined
  const file = await open(join(directory, newest))
  try {
    return await headOf(file, (await file.stat()).size)
  } finally {
    await file.close()
  }
}

const openHeadFile = (path: string): Promise<FileHandle> =>
  open(path, 'r+').catch(async (error: NodeJS.ErrnoException) => {
    if (error.code !== 'ENOENT') throw error
    return open(path, 'w+', 0o600)
  })

/** The names of the full files of a trail, oldest first. */
export const fullFiles = async (directory: string): Promise<string[]> =>
  (await readdir(directory)).filter(isFullFileName).sort()

const removeOldest = async (directory: string, keep: number): Promise<void> => {
  const files = await fullFiles(directory)
  for (const name of files.slice(0, Math.max(0, files.length - keep))) await rm(join(directory, name))
}

const PIECE_BYTES = 64 << 10
const LINE_FEED = 0x0a
const HEAD_BYTES = 128
