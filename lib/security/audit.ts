import { hash } from 'node:crypto'
import { type FileHandle, open, readdir, readFile, rename, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { failure } from '../base/errors.ts'
import type { Log } from '../base/log.ts'
import {
  AUDIT_FILE,
  AUDIT_HEAD_FILE,
  type AuditEntry,
  type AuditHead,
  EMPTY_HEAD,
  fullFileName,
  isFullFileName,
  nextLine,
  parseHead,
} from './audit-line.ts'

export interface AuditOptions {
  directory: string
  log: Log
  /** A file that has this many bytes is full, and the next one is begun. */
  maxBytes?: number
  /** How many full files are kept. */
  keepFiles?: number
  now?: () => Date
}

export interface Audit {
  /** Resolves when the line is written. Rejects with AgentError not-recorded. */
  recordOrFail(entry: AuditEntry): Promise<void>
  /** Never rejects: what cannot be written is counted, and the count is written as soon as anything can be. */
  record(entry: AuditEntry): Promise<void>
  /** False after a write that failed, until one succeeds. */
  isWritable(): boolean
  close(): Promise<void>
}

interface Waiting {
  entry: AuditEntry
  resolve(): void
  reject(error: unknown): void
}

/**
 * Opens the trail of who has asked for what: a line of JSON each, which holds the hash of the line before. What was
 * asked for while a line is being written is written together with the next. Rejects when it cannot be written.
 */
export const openAudit = async (options: AuditOptions): Promise<Audit> => {
  const { directory, log, maxBytes = MAX_BYTES, keepFiles = KEEP_FILES, now = () => new Date() } = options
  const path = join(directory, AUDIT_FILE)
  let file = await open(path, 'a+', 0o600)
  const headFile = await openHeadFile(join(directory, AUDIT_HEAD_FILE))
  const found = await findHead(file, directory)
  let { head, size } = found
  let waiting: Waiting[] = []
  let writing: Promise<void> | undefined
  let lost = 0
  let isWritable = true
  let isClosed = false
  let timer: NodeJS.Timeout | undefined

  const write = async (entries: readonly AuditEntry[]): Promise<void> => {
    let next = head
    let text = ''
    const time = now().toISOString()
    const missed: AuditEntry[] = lost > 0 ? [{ action: 'audit', outcome: 'not-recorded', count: lost }] : []
    for (const entry of [...missed, ...entries]) {
      const made = nextLine(next, time, entry)
      text += `${made.line}\n`
      next = made.head
    }
    const bytes = Buffer.from(text)
    try {
      for (let at = 0; at < bytes.length; ) at += (await file.write(bytes, at)).bytesWritten
    } catch (error) {
      await file.truncate(size).catch(() => {}) // Half a line would look like a changed one.
      throw error
    }
    head = next
    size += bytes.length
    lost = 0
    await writeHead(headFile, head).catch(error => log.error({ err: error }, 'audit.head cannot be written'))
    if (size >= maxBytes)
      await rotate().catch(error => log.error({ err: error }, 'audit.jsonl cannot be rotated'))
  }

  /** The chain goes on in the next file, whose first line says so. */
  const rotate = async (): Promise<void> => {
    await rename(path, join(directory, fullFileName(head.seq)))
    const full = file
    file = await open(path, 'a+', 0o600)
    size = 0
    await full.close()
    await removeOldest(directory, keepFiles)
    await write([{ action: 'audit', outcome: 'rotated' }])
  }

  const writeWaiting = async (): Promise<void> => {
    while (waiting.length > 0) {
      const batch = waiting
      waiting = []
      try {
        await write(batch.map(({ entry }) => entry))
        isWritable = true
        for (const { resolve } of batch) resolve()
      } catch (error) {
        isWritable = false
        retryLater()
        log.error({ err: error, lines: batch.length }, 'THE AUDIT TRAIL CANNOT BE WRITTEN')
        for (const { reject } of batch) reject(failure('not-recorded'))
      }
    }
    writing = undefined
  }

  /** What was lost is told as soon as anything can be written, also when nobody asks for anything. */
  const retry = async (): Promise<void> => {
    try {
      await write([])
      isWritable = true
    } catch {
      retryLater()
    }
    await writeWaiting()
  }

  const retryLater = (): void => {
    timer ??= setTimeout(() => {
      timer = undefined
      writing ??= retry()
    }, RETRY_MS).unref()
  }

  const recordOrFail = (entry: AuditEntry): Promise<void> =>
    new Promise((resolve, reject) => {
      if (isClosed) return reject(failure('not-recorded'))
      waiting.push({ entry, resolve, reject })
      writing ??= writeWaiting()
    })

  const record = (entry: AuditEntry): Promise<void> =>
    recordOrFail(entry).catch(() => {
      lost++
    })

  for (const entry of found.entries) {
    log.error(entry, 'the audit trail is not as the last agent has left it')
    await recordOrFail(entry)
  }
  return {
    recordOrFail,
    record,
    isWritable: () => isWritable,
    async close() {
      if (isClosed) return
      isClosed = true
      clearTimeout(timer)
      await writing
      await Promise.all([file.close(), headFile.close()])
    },
  }
}

/** Where the chain goes on, and what there is to say about what was found. */
const findHead = async (
  file: FileHandle,
  directory: string,
): Promise<{ head: AuditHead; size: number; entries: AuditEntry[] }> => {
  const size = await endOfLastLine(file)
  const last = (await headOf(file, size)) ?? (await headOfNewestFull(directory)) ?? EMPTY_HEAD
  const told = parseHead(await readFile(join(directory, AUDIT_HEAD_FILE), 'utf8').catch(() => ''))
  // It is written after the line, so that it may be behind, never ahead.
  const isSound = !told || told.seq < last.seq || (told.seq === last.seq && told.hash === last.hash)
  if (isSound) return { head: last, size, entries: [] }
  const detail = `line ${told.seq} was the newest; ${last.seq} is`
  // Numbers are not used twice, so that what is missing stays missing.
  const head = { ...last, seq: Math.max(last.seq, told.seq) }
  return { head, size, entries: [{ action: 'audit', outcome: 'broken', detail }] }
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

/** Always as long, so that a shorter one leaves no rest of a longer one. */
const writeHead = async (file: FileHandle, head: AuditHead): Promise<void> => {
  await file.write(`${JSON.stringify(head).padEnd(HEAD_BYTES - 1)}\n`, 0)
}

const fullFiles = async (directory: string): Promise<string[]> =>
  (await readdir(directory)).filter(isFullFileName).sort()

const removeOldest = async (directory: string, keep: number): Promise<void> => {
  const files = await fullFiles(directory)
  for (const name of files.slice(0, Math.max(0, files.length - keep))) await rm(join(directory, name))
}

const MAX_BYTES = 16 << 20
const KEEP_FILES = 16
const RETRY_MS = 1000
const PIECE_BYTES = 64 << 10
const LINE_FEED = 0x0a
const HEAD_BYTES = 128
