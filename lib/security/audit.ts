import { failure } from '../base/errors.ts'
import type { Log } from '../base/log.ts'
import { openAuditFiles } from './audit-file.ts'
import { type AuditEntry, type AuditHead, nextLine } from './audit-line.ts'

export interface AuditOptions {
  directory: string
  log: Log
  /** A file that has this many bytes is full, and the next one is begun. */
  maxBytes?: number
  /** How many full files are kept. */
  keepFiles?: number
  now?: () => Date
  /** How often it is looked whether the files are still there, and a failed write is tried again. */
  intervalMs?: number
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
  const files = await openAuditFiles(directory)
  let { head, fault } = await findHead(files)
  let waiting: Waiting[] = []
  let working: Promise<void> | undefined
  let lost = 0
  let isWritable = true
  let isClosed = false
  let isHeadDue = false
  let headTimer: NodeJS.Timeout | undefined

  /** All of the entries, or none, and before them how many were lost. */
  const append = async (entries: readonly AuditEntry[]): Promise<void> => {
    let next = head
    let text = ''
    const time = now().toISOString()
    const missed: AuditEntry[] = lost > 0 ? [{ action: 'audit', outcome: 'not-recorded', count: lost }] : []
    for (const entry of [...missed, ...entries]) {
      const made = nextLine(next, time, entry)
      text += `${made.line}\n`
      next = made.head
    }
    await files.append(text)
    head = next
    lost = 0
    isHeadDue = true
  }

  const writeHead = async (): Promise<void> => {
    if (!isHeadDue) return
    isHeadDue = false
    await files.writeHead(head).catch(error => log.error({ err: error }, 'audit.head cannot be written'))
  }

  /** Not for each line: one that is behind is no fault. */
  const writeHeadSoon = (): void => {
    headTimer ??= setTimeout(() => {
      headTimer = undefined
      working ??= work(writeHead)
    }, HEAD_DELAY_MS).unref()
  }

  const write = async (entries: readonly AuditEntry[]): Promise<void> => {
    try {
      await append(entries)
      isWritable = true
      if (files.size() >= maxBytes) await rotate()
    } catch (error) {
      if (isWritable) log.error({ err: error }, 'THE AUDIT TRAIL CANNOT BE WRITTEN')
      isWritable = false
      throw error
    }
  }

  /** The chain goes on in the next file, whose first line says so. */
  const rotate = async (): Promise<void> => {
    try {
      await files.rotate(head, keepFiles)
      await append([{ action: 'audit', outcome: 'rotated' }])
    } catch (error) {
      log.error({ err: error }, 'audit.jsonl cannot be rotated')
    }
  }

  /** One thing after another: only one writes. */
  const work = async (first?: () => Promise<void>): Promise<void> => {
    await first?.()
    while (waiting.length > 0) {
      const batch = waiting
      waiting = []
      try {
        await write(batch.map(({ entry }) => entry))
        for (const { resolve } of batch) resolve()
      } catch {
        for (const { reject } of batch) reject(failure('not-recorded'))
      }
    }
    working = undefined
    if (isHeadDue && !isClosed) writeHeadSoon()
  }

  /** What was lost is told also when nobody asks for anything; files that are gone are begun anew, which is told. */
  const look = async (): Promise<void> => {
    try {
      if (await files.areGone()) {
        await files.reopen()
        fault = 'the files were removed or replaced while the agent was running'
      }
      if (fault !== undefined) await tellFault(fault)
      else if (!isWritable) await write([])
    } catch {
      // It is looked again.
    }
  }

  let toldFault: string | undefined
  const tellFault = async (detail: string): Promise<void> => {
    if (toldFault !== detail) log.error({ detail }, 'THE AUDIT TRAIL IS NOT AS THE AGENT HAS LEFT IT')
    toldFault = detail
    await write([{ action: 'audit', outcome: 'broken', detail }])
    fault = undefined
    toldFault = undefined
  }

  const timer = setInterval(() => {
    working ??= work(look)
  }, options.intervalMs ?? INTERVAL_MS).unref()

  const recordOrFail = (entry: AuditEntry): Promise<void> =>
    new Promise((resolve, reject) => {
      if (isClosed) return reject(failure('not-recorded'))
      waiting.push({ entry, resolve, reject })
      working ??= work()
    })

  const record = (entry: AuditEntry): Promise<void> =>
    recordOrFail(entry).catch(() => {
      lost++
    })

  working = work(look)
  await working
  return {
    recordOrFail,
    record,
    isWritable: () => isWritable,
    async close() {
      if (isClosed) return
      isClosed = true
      clearInterval(timer)
      clearTimeout(headTimer)
      await working
      await writeHead()
      await files.close()
    },
  }
}

type AuditFiles = Awaited<ReturnType<typeof openAuditFiles>>

/** Where the chain goes on, and what is wrong with what was found. */
const findHead = async (files: AuditFiles): Promise<{ head: AuditHead; fault: string | undefined }> => {
  const { last, told } = await files.findHeads()
  // It is written after the line, so that it may be behind, never ahead.
  const isSound = !told || told.seq < last.seq || (told.seq === last.seq && told.hash === last.hash)
  if (isSound) return { head: last, fault: undefined }
  // Numbers are not used twice, so that what is missing stays missing.
  const head = { ...last, seq: Math.max(last.seq, told.seq) }
  return { head, fault: `line ${told.seq} was the newest; ${last.seq} is` }
}

const MAX_BYTES = 16 << 20
const KEEP_FILES = 16
const INTERVAL_MS = 1000
const HEAD_DELAY_MS = 100
