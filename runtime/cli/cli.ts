import { printable } from './format.ts'
import { createSink, type Sink } from './sink.ts'

/** What a verb may use of the process that it runs in. */
export interface Cli {
  env: NodeJS.ProcessEnv
  /** What stands behind `--`; undefined when nothing does. */
  rest: string[] | undefined
  stdin: NodeJS.ReadStream
  out: Sink
  err: Sink
  /** What the process will exit with; a verb that fails throws instead. */
  exitCode: number
}

export const createCli = (rest: string[] | undefined): Cli => ({
  env: process.env,
  rest,
  stdin: process.stdin,
  out: createSink(process.stdout),
  err: createSink(process.stderr),
  exitCode: 0,
})

/** One line for who sits there, beside what is printed: on standard error. What others wrote in it does nothing. */
export const tell = ({ err }: Cli, line: string): Promise<void> => err.write(`newdt: ${printable(line)}\n`)
