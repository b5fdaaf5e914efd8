import { hash } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { firstKept, fullFiles, openLines } from './audit-file.ts'
import {
  AUDIT_FILE,
  AUDIT_HEAD_FILE,
  type AuditHead,
  type AuditLine,
  EMPTY_HEAD,
  LONGEST_READ_BYTES,
  parseHead,
  parseLine,
} from './audit-line.ts'

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
  for (let looks = 1; ; looks++) {
    const names = await fullFiles(directory)
    const verdict = await follow(directory, names).catch(async (error: NodeJS.ErrnoException) => {
      if (error.code !== 'ENOENT' || looks === MOST_LOOKS) throw error
      await delay(LOOK_AGAIN_MS)
    })
    // A rotation meanwhile has moved lines from under the look.
    if (verdict && (!verdict.fault || (await fullFiles(directory)).join() === names.join())) return verdict
  }
}

const follow = async (directory: string, names: readonly string[]): Promise<AuditVerdict> => {
  // Read first: lines that are added meanwhile are newer than it.
  const told = parseHead(await readFile(join(directory, AUDIT_HEAD_FILE), 'utf8'))
  const first = await firstKept(directory)
  const isBeginning: IsBeginning = ({ seq, prev, outcome }) => {
    if (seq === 1) return prev === EMPTY_HEAD.hash
    if (first !== undefined) return seq <= first
    return outcome === 'rotated'
  }
  const files = [...names, AUDIT_FILE]
  const verdict: AuditVerdict = { files: files.length, lines: 0, first: 0, last: 0, fault: undefined }
  let head: AuditHead | undefined
  for (const file of files) {
    let line = 0
    for await (const bytes of linesOf(directory, file)) {
      line++
      const message = faultOf(bytes, head, isBeginning)
      if (message !== undefined) return { ...verdict, fault: { file, line, message } }
      head = { seq: parseLine(bytes)!.seq, hash: hash('sha256', bytes) }
      verdict.lines++
      verdict.first ||= head.seq
      verdict.last = head.seq
      if (told?.seq === head.seq && told.hash !== head.hash)
        return { ...verdict, fault: { file, line, message: `line ${head.seq} was changed` } }
    }
    // One that is older than all lines says nothing of them.
    if (file === AUDIT_FILE && told && told.seq > verdict.last) {
      const message = `the lines from ${verdict.last + 1} to ${told.seq} were removed`
      return { ...verdict, fault: { file, line: line + 1, message } }
    }
  }
  return verdict
}

/** Whether a line may be the first of all that are kept. */
type IsBeginning = (line: AuditLine) => boolean

/** What is wrong with a line that comes after `head`; without it, it is the first of all that are kept. */
const faultOf = (
  bytes: Buffer,
  head: AuditHead | undefined,
  isBeginning: IsBeginning,
): string | undefined => {
  const line = parseLine(bytes)
  if (!line) return 'this is no line of the trail'
  const { seq, prev, action, outcome, detail } = line
  if (!head) return isBeginning(line) ? undefined : `lines before ${seq} were removed`
  if (seq > head.seq + 1) return `the lines from ${head.seq + 1} to ${seq - 1} were removed`
  if (seq <= head.seq) return `line ${seq} is not in its place`
  if (prev !== head.hash) return `line ${head.seq} was changed`
  // What an agent has seen of its trail stays seen.
  return action === 'audit' && outcome === 'broken' ? `the agent has found: ${detail}` : undefined
}

/** What comes after the last line feed is a line that is being written; but one that is too long is the last of all. */
async function* linesOf(directory: string, name: string): AsyncGenerator<Buffer> {
  await using file = await openLines(directory, name)
  if (!file) return
  let rest: Buffer = Buffer.alloc(0)
  for await (const chunk of file.createReadStream({ autoClose: false }) as AsyncIterable<Buffer>) {
    let bytes = rest.length > 0 ? Buffer.concat([rest, chunk]) : chunk
    for (let end = bytes.indexOf(LINE_FEED); end >= 0; end = bytes.indexOf(LINE_FEED)) {
      yield bytes.subarray(0, end)
      bytes = bytes.subarray(end + 1)
    }
    rest = bytes
    if (rest.length > LONGEST_READ_BYTES) return yield rest
  }
}

const LINE_FEED = 0x0a

/** An agent removes and renames files meanwhile. */
const MOST_LOOKS = 5
const LOOK_AGAIN_MS = 50
