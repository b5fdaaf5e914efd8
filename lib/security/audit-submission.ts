import { hash } from 'node:crypto'
import type { AuditEntry } from './audit-line.ts'

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
