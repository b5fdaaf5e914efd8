import { failure } from '../base/errors.ts'
import type { Log } from '../base/log.ts'
import { within } from '../base/within.ts'
import { openAuditFiles } from './audit-file.ts'
import { type AuditEntry, type AuditHead, KEEP_FILES, nextLine } from './audit-line.ts'

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
  /**
   * Never rejects: what cannot be written is counted, and the count is written as soon as anything can be. A disk that
   * does not answer is waited for only for a second.
   */
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
  /** The files were taken away, and others are not opened yet. */
  let isAway = false
  let isHeadDue = false
  let headTimer: NodeJS.Timeout | undefined
  let headWritten: Promise<void> | undefined

  /** What the trail must tell before anything else. */
  const untold = (): AuditEntry[] => [
    ...(fault === undefined ? [] : [{ action: 'audit', outcome: 'broken', detail: fault }]),
    ...(lost > 0 ? [{ action: 'audit', outcome: 'not-recorded', count: lost }] : []),
  ]

  const chain = (entries: readonly AuditEntry[]): { text: string; head: AuditHead } => {
    const time = now().toISOString()
    let next = head
    let text = ''
    for (const entry of entries) {
      const made = nextLine(next, time, entry)
      text += `${made.line}\n`
      next = made.head
    }
    return { text, head: next }
  }

  /** All of the entries, or none. */
  const append = async (entries: readonly AuditEntry[]): Promise<void> => {
    const [due, next] = [lost, chain([...untold(), ...entries])]
    await files.append(next.text)
    head = next.head
    lost -= due
    fault = undefined
    isHeadDue = true
  }

  /** One that is behind the lines is no fault. One that is ahead would be, so they are on the disk before it. */
  const writeHead = async (): Promise<void> => {
    const newest = head
    isHeadDue = false
    try {
      await files.sync()
      await files.writeHead(newest)
    } catch (error) {
      log.error({ err: error }, 'audit.head cannot be written')
    }
    headWritten = undefined
    if (isHeadDue && !isClosed) writeHeadSoon()
  }

  /** Not for each line. */
  const writeHeadSoon = (): void => {
    if (headWritten) return // It looks again.
    headTimer ??= setTimeout(() => {
      headTimer = undefined
      headWritten = writeHead()
    }, HEAD_DELAY_MS).unref()
  }

  const write = async (entries: readonly AuditEntry[]): Promise<void> => {
    try {
      if (isAway) await comeBack()
      await append(entries)
      isWritable = true
    } catch (error) {
      cannotWrite(error)
      throw error
    }
    if (files.size() >= maxBytes) await rotate()
  }

  const cannotWrite = (error: unknown): void => {
    if (isWritable) log.error({ err: error }, 'THE AUDIT TRAIL CANNOT BE WRITTEN')
    isWritable = false
  }

  /** The chain goes on in the next file, whose first line says so. */
  const rotate = async (): Promise<void> => {
    let next = head
    const begin = (first: number | undefined): string => {
      const begun = chain([rotated(first)])
      next = begun.head
      return begun.text
    }
    try {
      await files.rotate(head.seq, keepFiles, begin)
      head = next
      isHeadDue = true
      isRotatable = true
    } catch (error) {
      if (isRotatable) log.error({ err: error }, 'audit.jsonl cannot be rotated')
      isRotatable = false
    }
  }
  let isRotatable = true

  /** Files that are gone are begun anew, which is told. */
  const comeBack = async (): Promise<void> => {
    await files.reopen()
    isAway = false
    find('the files were removed or replaced while the agent was running')
  }

  const find = (detail: string): void => {
    log.error({ detail }, 'THE AUDIT TRAIL IS NOT AS THE AGENT HAS LEFT IT')
    fault = detail
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

  /** What there is to tell is told also when nobody asks for anything. */
  const look = async (): Promise<void> => {
    try {
      isAway ||= await files.areGone()
      if (isAway || fault !== undefined || lost > 0 || !isWritable) await write([])
    } catch {
      // It is looked again.
    }
  }

  const timer = setInterval(() => {
    working ??= work(look)
  }, options.intervalMs ?? INTERVAL_MS).unref()

  const recordOrFail = (entry: AuditEntry): Promise<void> =>
    new Promise((resolve, reject) => {
      if (isClosed) return reject(failure('not-recorded'))
      if (waiting.length >= MOST_WAITING) {
        cannotWrite(new Error('the disk does not answer'))
        return reject(failure('not-recorded'))
      }
      waiting.push({ entry, resolve, reject })
      working ??= work()
    })

  const record = async (entry: AuditEntry): Promise<void> => {
    const recorded = recordOrFail(entry).catch(() => void lost++)
    await within(recorded, RECORD_WAIT_MS)
  }

  if (fault !== undefined) find(fault)
  // Whatever has ended the last agent in the middle of a rotation, the file gets its first line.
  const isBegun = files.size() > 0 || head.seq === 0 || fault !== undefined
  if (!isBegun) await write([rotated(files.first())]).catch(() => {}) // It is logged, and the next line is tried.
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
      if (lost > 0) await write([]).catch(() => {})
      await headWritten
      if (isHeadDue) await writeHead()
      await files.close()
    },
  }
}

const rotated = (first: number | undefined): AuditEntry => ({ action: 'audit', outcome: 'rotated', first })

type AuditFiles = Awaited<ReturnType<typeof openAuditFiles>>

/** Where the chain goes on, and what is wrong with what was found. */
const findHead = async (files: AuditFiles): Promise<{ head: AuditHead; fault: string | undefined }> => {
  const { last, told } = await files.findHeads()
  const first = await files.findFirst()
  // It is written after the line, so that it may be behind, never ahead.
  const isSound = !told || told.seq < last.seq || (told.seq === last.seq && told.hash === last.hash)
  if (!isSound) {
    // Numbers are not used twice, so that what is missing stays missing.
    const head = { ...last, seq: Math.max(last.seq, told.seq) }
    return { head, fault: `line ${told.seq} was the newest; ${last.seq} is` }
  }
  const isWhole = first.told === undefined || first.found === undefined || first.found <= first.told
  return { head: last, fault: isWhole ? undefined : `line ${first.told} was the oldest; ${first.found} is` }
}

const MAX_BYTES = 16 << 20
const INTERVAL_MS = 1000
const HEAD_DELAY_MS = 100
const RECORD_WAIT_MS = 1000
/** More than all connections can ask for at a time: there are so many only while the disk does not answer. */
const MOST_WAITING = 4096
