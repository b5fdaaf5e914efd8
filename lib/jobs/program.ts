import type { JobFacts, JobRequest, ScriptType } from './job.ts'

/** What is run: a command with its params, or an interpreter with the script and its params, as the contract shows it. */
export const execCmd = ({ cmd, params, scriptType, scriptPath }: JobFacts): string =>
  scriptType === '' ? commandLine(cmd, params) : `${INTERPRETERS[scriptType]} ${scriptPath} ${params}`

/** The program and its arguments. `scriptPath` is where the request's script is, if it has one. */
export const programOf = (
  { cmd, params, script }: JobRequest,
  scriptPath: string,
): { file: string; args: string[] } =>
  script
    ? { file: INTERPRETERS[script.type], args: [scriptPath, ...script.words] }
    : // `--`: a command that begins with a dash is no option of bash.
      { file: 'bash', args: ['-c', '--', commandLine(cmd, params)] }

/** Params are appended to a command after a space. */
export const commandLine = (cmd: string, params: string): string => (params === '' ? cmd : `${cmd} ${params}`)

const INTERPRETERS: Record<ScriptType, string> = { shell: 'bash', python: 'python3' }
