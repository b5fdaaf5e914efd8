import { hash } from 'node:crypto'

/** What was done, by whom, and what came of it. */
export interface AuditEntry {
  /** `submit`, `cancel`, `signal`, `drain`, `authenticate`, `keys`, `agent`, `audit`. */
  action: string
  /** `accepted`, `done`, `rejected` …, or the machine word of the error that it was refused with. */
  outcome: string
  /** The id of the key. */
  caller?: string | undefined
  /** The IP address that it came from. */
  client?: string | undefined
  /** The id of the job. */
  job?: string | undefined
  /** SHA-256 of the command line, or of the script's content. */
  sha256?: string | undefined
  /** The command line, or the script's content, if it is to be kept. */
  command?: string | undefined
  /** Of a script. */
  params?: string | undefined
  /** What else there is to say: the ids of keys, the name of a signal. */
  detail?: string | undefined
  /** How many times, when it is more than once. */
  count?: number | undefined
}

/** Where a chain is: the number and the hash of its newest line. */
export interface AuditHead {
  seq: number
  hash: string
}

/** Of a chain without a line. */
export const EMPTY_HEAD: AuditHead = { seq: 0, hash: '0'.repeat(64) }

/** The next line of a chain, without its line feed, and the chain's head from then on. */
export const nextLine = (
  head: AuditHead,
  time: string,
  entry: AuditEntry,
): { line: string; head: AuditHead } => {
  const seq = head.seq + 1
  const line = JSON.stringify({ seq, time, ...entry, prev: head.hash })
  return { line, head: { seq, hash: hash('sha256', line) } }
}

/** The name of the file that lines are added to, and of the one that holds the chain's head. */
export const AUDIT_FILE = 'audit.jsonl'
export const AUDIT_HEAD_FILE = 'audit.head'

/** The name of a file that is full: its newest line's number, so that names sort as the lines do. */
export const fullFileName = (seq: number): string => `audit-${String(seq).padStart(15, '0')}.jsonl`

export const isFullFileName = (name: string): boolean => /^audit-\d{15}\.jsonl$/.test(name)

export const parseHead = (text: string): AuditHead | undefined => {
  try {
    const { seq, hash } = JSON.parse(text) as AuditHead
    return Number.isSafeInteger(seq) && /^[0-9a-f]{64}$/.test(hash) ? { seq, hash } : undefined
  } catch {
    return undefined
  }
}

/** What a submission asks to be run. */
export interface Submitted {
  /** With its params; of a script "". */
  commandLine: string
  script?: { content: string } | undefined
  params: string
}

/** Whether lines hold the text of what was asked to be run, or only its hash. */
export const createAuditText =
  (keepsText: boolean) =>
  ({ commandLine, script, params }: Submitted): Partial<AuditEntry> => {
    const text = script?.content ?? commandLine
    const sha256 = hash('sha256', text)
    if (!keepsText) return { sha256 }
    return { sha256, command: cut(text), ...(script && params !== '' && { params: cut(params) }) }
  }

const cut = (text: string): string => (text.length > LONGEST_TEXT ? `${text.slice(0, LONGEST_TEXT)}…` : text)

const LONGEST_TEXT = 64 << 10
