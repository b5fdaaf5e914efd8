import { isTakenByShells, NOT_TAKEN } from '../shell-variables.ts'
import { StartError } from '../types.ts'

/** Throws StartError for a name that a shell cannot give to anybody; the value is in no message. */
export const refuseOthersThanShellsTake = (env: Record<string, string>): void => {
  for (const name of Object.keys(env))
    if (!isTakenByShells(name)) throw new StartError(`env ${name}: ${NOT_TAKEN}`)
}

/**
 * Variables that a shell is to give a job: under names that mean nothing to anybody until then. What a loader or a shell
 * makes of LD_PRELOAD, BASH_ENV or a function happens to the job alone. Those that a shell cannot give are left out.
 */
export const carriedVariables = (env: Record<string, string>) => {
  const entries = Object.entries(env).filter(([name]) => isTakenByShells(name))
  return {
    numbers: [...entries.keys()].join(' '),
    env: Object.fromEntries(entries.map(([name, value], number) => [`_${number}`, `${name}=${value}`])),
  }
}
