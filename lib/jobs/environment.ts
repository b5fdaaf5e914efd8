import { failure } from '../base/errors.ts'
import { isTakenByShells } from '../process/shell-variables.ts'

/** Names of variables that are the agent's own: no job inherits one, and no request may set one. */
export const isReservedVariable = (name: string): boolean => /^(AGENT|NEWDT_AUTO)_/.test(name)

/** Throws AgentError variable-not-possible for one that a shell could not hand on. */
export const assertTakenByShells = (env: Record<string, string>): void => {
  const variable = Object.keys(env).find(name => !isTakenByShells(name))
  if (variable !== undefined) throw failure('variable-not-possible', { variable })
}

/** Tells a job's processes which job they belong to. */
export const JOB_ID_VARIABLE = 'NEWDT_AUTO_JOB_ID'
