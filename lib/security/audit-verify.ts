import { hash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fullFiles } from './audit-file.ts'
import { AUDIT_FILE, AUDIT_HEAD_FILE, type AuditHead, EMPTY_HEAD, parseHead } from './audit-line.ts'

export interface AuditVerdict {
  files: number
  lines: number
  /** The numbers of the first and the last line; 0 when there is none. */
  first: number
  last: number
  /** What is wrong first, and where; undefined when nothing is. */
  fault: { file: string; line: number; message: string } | undefined
}

/**
 * Follows the chain of a directory's audit trail through all its files. It may be written meanwhile. Rejects when a
 * file cannot be read.
 */
export const verifyAudit = async (directory: string): Promise<AuditVerdict> => {
  for (;;) {
    const names = await fullFiles(directory)
    const verdict = await follow(directory, names)
    // A rotation meanwhile has moved lines from under the look.
    if (!verdict.fault || (await fullFiles(directory)).join() === names.join()) return verdict
  }
}

const follow = async (directory: string, names: readonly string[]): Promise<AuditVerdict> => {
  // Read first: lines that are added meanwhile are newer than it.
  const told = parseHead(await readFile(join(directory, AUDIT_HEAD_FILE), 'utf8'))
  const files = [...names, AUDIT_FILE]
  const verdict: AuditVerdict = { files: files.length, lines: 0, first: 0, last: 0, fault: undefined }
  let head: AuditHead | undefined
  let isHeadSeen = told === undefined || told.seq === 0
  for (const file of files) {
    let line = 0
    for await (const bytes of linesOf(join(directory, file))) {
      line++
      const message = faultOf(bytes, head)
      if (message !== undefined) return { ...verdict, fault: { file, line, message } }
      head = { seq: (JSON.parse(bytes.toString()) as Line).seq, hash: hash('sha256', bytes) }
      verdict.lines++
      verdict.first ||= head.seq
      verdict.last = head.seq
      if (told && head.seq === told.seq) {
        if (head.hash !== told.hash)
          return { ...verdict, fault: { file, line, message: `line ${head.seq} was changed` } }
        isHeadSeen = true
      }
    }
    if (file === AUDIT_FILE && !isHeadSeen) {
      const message = `the lines from ${verdict.last + 1} to ${told!.seq} were removed`
      return { ...verdict, fault: { file, line: line + 1, message } }
    }
  }
  return verdict
}

interface Line {
  seq: number
  prev: string
  action: string
  outcome: string
  detail?: string
}

/** What is wrong with a line that comes after `head`; without it, it is the first of all that are kept. */
const faultOf = (bytes: Buffer, head: AuditHead | undefined): string | undefined => {
  const line = parseLine(bytes)
  if (!line) return 'this is no line of the trail'
  const { seq, prev, action, outcome, detail } = line
  if (!head) {
    const isFirst = seq === 1 && prev === EMPTY_HEAD.hash
    const isAfterRotation = seq > 1 && action === 'audit' && outcome === 'rotated'
    return isFirst || isAfterRotation ? undefined : `lines before ${seq} were removed`
  }
  if (seq > head.seq + 1) return `the lines from ${head.seq + 1} to ${seq - 1} were removed`
  if (seq <= head.seq) return `line ${seq} is not in its place`
  if (prev !== head.hash) return `line ${head.seq} was changed`
  // What an agent has seen of its trail stays seen.
  return action === 'audit' && outcome === 'broken' ? `the agent has found: ${detail}` : undefined
}

const parseLine = (bytes: Buffer): Line | undefined => {
  try {
    const line = JSON.parse(bytes.toString()) as Line
    return Number.isSafeInteger(line.seq) && typeof line.prev === 'string' ? line : undefined
  } catch {
    return undefined
  }
}

/** What comes after the last line feed is a line that is being written. */
async function* linesOf(path: string): AsyncGenerator<Buffer> {
  let rest: Buffer = Buffer.alloc(0)
  for await (const chunk of createReadStream(path) as AsyncIterable<Buffer>) {
    let bytes = rest.length > 0 ? Buffer.concat([rest, chunk]) : chunk
    for (let end = bytes.indexOf(LINE_FEED); end >= 0; end = bytes.indexOf(LINE_FEED)) {
      yield bytes.subarray(0, end)
      bytes = bytes.subarray(end + 1)
    }
    rest = bytes
  }
}

const LINE_FEED = 0x0a
