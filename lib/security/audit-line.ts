import { hash } from 'node:crypto'

/** What was done, by whom, and what came of it. */
export interface AuditEntry {
  /** `submit`, `cancel`, `signal`, `drain`, `authenticate`, `keys`, `agent`, `audit`. */
  action: string
  /** `accepted`, `begun`, `done`, `rejected` …, or the machine word of the error that it was refused with. */
  outcome: string
  /** The id of the key. */
  caller?: string | undefined
  /** The IP address that it came from. */
  client?: string | undefined
  /** The id of the job. */
  job?: string | undefined
  /** Under which id it waited in a fleet's queue. */
  queue?: string | undefined
  /** Whom the job is to run as, where that is not the agent's own user. */
  user?: string | undefined
  /** SHA-256 of the command line, or of the script's content. */
  sha256?: string | undefined
  /** SHA-256 of the whole body that asked for it, as it came: with stdin, env, params, cwd and all. */
  bodySha256?: string | undefined
  /** SHA-256 of the standard input, if any was given. */
  stdinSha256?: string | undefined
  /** `shell` or `python`, of a script. */
  scriptType?: string | undefined
  /** The command line, or the script's content, if it is to be kept. */
  command?: string | undefined
  /** Of a script. */
  params?: string | undefined
  cwd?: string | undefined
  /** The names of the variables that were given, with spaces between. */
  env?: string | undefined
  /** What else there is to say: the ids of keys, the name of a signal. */
  detail?: string | undefined
  /** How many times, when it is more than once. */
  count?: number | undefined
  /** In the first line of a file: the number of the oldest line that is kept. */
  first?: number | undefined
}

/** Where a chain is: the number and the hash of its newest line. */
export interface AuditHead {
  seq: number
  hash: string
}

/** Of a chain without a line. */
export const EMPTY_HEAD: AuditHead = { seq: 0, hash: '0'.repeat(64) }

/** The next line of a chain, without its line feed, and the chain's head from then on. Long texts are cut. */
export const nextLine = (
  head: AuditHead,
  time: string,
  entry: AuditEntry,
): { line: string; head: AuditHead } => {
  const seq = head.seq + 1
  const line = JSON.stringify({ seq, time, ...withShortTexts(entry), prev: head.hash })
  return { line, head: { seq, hash: hash('sha256', line) } }
}

const withShortTexts = (entry: AuditEntry): object =>
  Object.fromEntries(
    Object.entries(entry).map(([name, value]) => [
      name,
      typeof value === 'string' ? cutToJson(value, LONGEST_TEXTS[name] ?? LONGEST_OTHER_TEXT) : value,
    ]),
  )

/** A beginning of a text whose JSON has at most `most` bytes between its quotes; "…" says that something is missing. */
const cutToJson = (text: string, most: number): string => {
  // Each letter takes a byte at least: a text of megabytes is not serialised to find that it is too long.
  if (text.length <= most && jsonBytes(text) <= most) return text
  let [fits, end] = [0, Math.min(text.length, most)]
  while (fits < end) {
    const middle = Math.ceil((fits + end) / 2)
    if (jsonBytes(text.slice(0, middle)) <= most - ELLIPSIS_BYTES) fits = middle
    else end = middle - 1
  }
  const isInPair = /[\ud800-\udbff]/.test(text.charAt(fits - 1))
  return `${text.slice(0, isInPair ? fits - 1 : fits)}…`
}

const jsonBytes = (text: string): number => Buffer.byteLength(JSON.stringify(text)) - 2

const ELLIPSIS_BYTES = 3
const KB = 1024

/** In bytes of JSON. With the rest of a line they are within LONGEST_LINE_BYTES. */
const LONGEST_TEXTS: Record<string, number | undefined> = {
  command: 40 * KB,
  params: 8 * KB,
  cwd: 4 * KB,
  env: 4 * KB,
  detail: 4 * KB,
}
const LONGEST_OTHER_TEXT = 256
export const LONGEST_LINE_BYTES = 64 * KB

/** The name of the file that lines are added to, and of the one that holds the chain's head. */
export const AUDIT_FILE = 'audit.jsonl'
export const AUDIT_HEAD_FILE = 'audit.head'
/** Of the next file of lines until it takes the place of the one that is full. */
export const NEXT_AUDIT_FILE = 'audit.next'

/** How many full files an agent keeps. */
export const KEEP_FILES = 16

/** The name of a file that is full: its newest line's number, so that names sort as the lines do. */
export const fullFileName = (seq: number): string => `audit-${String(seq).padStart(15, '0')}.jsonl`

export const isFullFileName = (name: string): boolean => /^audit-\d{15}\.jsonl$/.test(name)

/** The number of the newest line in a full file. */
export const newestIn = (fullFileName: string): number => Number(fullFileName.slice(6, 21))

export const parseHead = (text: string): AuditHead | undefined => {
  try {
    const { seq, hash } = JSON.parse(text) as AuditHead
    return Number.isSafeInteger(seq) && /^[0-9a-f]{64}$/.test(hash) ? { seq, hash } : undefined
  } catch {
    return undefined
  }
}

/** What is looked at in a line that was read. */
export interface AuditLine {
  seq: number
  prev: string
  action: string
  outcome: string
  detail?: string
  first?: number
}

/** Undefined when it is none. Older agents have written longer lines, but none near a megabyte. */
export const parseLine = (bytes: Buffer): AuditLine | undefined => {
  if (bytes.length > LONGEST_READ_BYTES) return undefined
  try {
    const line = JSON.parse(bytes.toString()) as AuditLine
    return Number.isSafeInteger(line.seq) && typeof line.prev === 'string' ? line : undefined
  } catch {
    return undefined
  }
}

export const LONGEST_READ_BYTES = 1 << 20
