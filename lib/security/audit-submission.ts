import { hash } from 'node:crypto'
import type { AuditEntry } from './audit-line.ts'

/** What a submission asks to be run. */
export interface Submitted {
  /** With its params; of a script "". */
  commandLine: string
  script?: { content: string; type: string } | undefined
  params: string
  cwd?: string | undefined
  env?: Record<string, string> | undefined
  stdin?: string | undefined
}

/** What proves against a copy what was sent; `body` is all of it, as it came. */
export const hashesOf = (
  { commandLine, script, stdin }: Submitted,
  body: Uint8Array,
): Partial<AuditEntry> => ({
  sha256: hash('sha256', script?.content ?? commandLine),
  bodySha256: hash('sha256', body),
  ...(stdin !== undefined && { stdinSha256: hash('sha256', stdin) }),
  ...(script && { scriptType: script.type }),
})

/** What is run, in words: but not stdin and the values of variables, where secrets belong. */
export const textOf = ({ commandLine, script, params, cwd, env = {} }: Submitted): Partial<AuditEntry> => {
  const names = Object.keys(env)
  return {
    command: script?.content ?? commandLine,
    ...(script && params !== '' && { params }),
    ...(cwd !== undefined && { cwd }),
    ...(names.length > 0 && { env: names.join(' ') }),
  }
}
