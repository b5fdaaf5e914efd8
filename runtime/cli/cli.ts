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
  /** The name or URL of the fleet, as `--fleet` says it. */
  fleet?: string | undefined
  /** Whether it ends with the exit code of a job, see program.ts. */
  endsAsJob?: boolean
  /** What newdt has to let go of at its end, or it would not end. */
  closers: (() => Promise<void>)[]
}

export const createCli = (rest: string[] | undefined): Cli => ({
  env: process.env,
  rest,
  stdin: process.stdin,
  out: createSink(process.stdout),
  err: createSink(process.stderr),
  exitCode: 0,
  closers: [],
})

/** The fleet that is named; undefined for none. */
export const fleetNameOf = ({ env, fleet }: Pick<Cli, 'env' | 'fleet'>): string | undefined =>
  fleet ?? (env.NEWDT_FLEET || undefined)

export const closeAll = async ({ closers }: Cli): Promise<void> => {
  await Promise.all(closers.splice(0).map(close => close()))
}

/** One line for who sits there, beside what is printed: on standard error. What others wrote in it does nothing. */
export const tell = ({ err }: Cli, line: string): Promise<void> => err.write(`newdt: ${printable(line)}\n`)
