import { type ExitStatus, exitText } from '../../lib/process/exit-status.ts'
import type { Processes, StartedProcess, StartSpec } from '../../lib/process/types.ts'

export interface Started extends StartedProcess {
  mark: number
  stdout(): string
  stderr(): string
}

export interface Finished {
  status: ExitStatus
  text: string
  stdout: string
  stderr: string
}

const BASH_ENV = { PATH: process.env.PATH ?? '/usr/bin:/bin', HOME: '/' }

/** Starts `bash -c command` as the agent would. */
export const startBash = async (
  processes: Processes,
  command: string,
  spec: Partial<StartSpec> = {},
): Promise<Started> => {
  const output: Record<'stdout' | 'stderr', Buffer[]> = { stdout: [], stderr: [] }
  const mark = processes.newMark()
  const started = await processes.start({
    file: 'bash',
    args: ['-c', '--', command],
    env: BASH_ENV,
    cwd: undefined,
    stdin: undefined,
    mark,
    onOutput: (stream, bytes) => void output[stream].push(Buffer.from(bytes)),
    ...spec,
  })
  const text = (stream: 'stdout' | 'stderr') => () => Buffer.concat(output[stream]).toString()
  return { ...started, mark, stdout: text('stdout'), stderr: text('stderr') }
}

/** Runs it to its end, and its output to its end. */
export const runBash = async (
  processes: Processes,
  command: string,
  spec: Partial<StartSpec> = {},
): Promise<Finished> => {
  const started = await startBash(processes, command, spec)
  const { status } = await started.exited
  await started.outputClosed
  return { status, text: exitText(status), stdout: started.stdout(), stderr: started.stderr() }
}
