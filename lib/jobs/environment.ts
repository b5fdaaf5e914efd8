/** Names of variables that are the agent's own: no job inherits one, and no request may set one. */
export const isReservedVariable = (name: string): boolean => /^(AGENT|NEWDT_AUTO)_/.test(name)

/** Tells a job's processes which job they belong to. */
export const JOB_ID_VARIABLE = 'NEWDT_AUTO_JOB_ID'
