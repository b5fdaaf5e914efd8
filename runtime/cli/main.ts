import { CommanderError } from 'commander'
import { ClientError } from '../../lib/client/client.ts'
import { type Cli, closeAll, createCli, tell } from './cli.ts'
import { splitAtDashes, verbOf } from './command-line.ts'
import { BROKEN_PIPE, INTERRUPTED, NEWDT_FAILED, WRONG_USAGE } from './exit-code.ts'
import { failureLine, UsageError } from './failure.ts'
import { createProgram, findVerb } from './program.ts'
import { BrokenPipeError } from './sink.ts'

/** What the completions of shells call. */
const COMPLETE = '__complete'
const main = async (args: string[]): Promise<number> => {
  const { own, rest } = splitAtDashes(args)
  const cli = createCli(rest)
  const verb = verbOf(own) ?? ''
  try {
    if (own.length === 0) own.push('--help')
    if (rest && isKnownWithoutRest(verb)) throw new UsageError(`newdt ${verb}: nothing can stand behind --`)
    if (verb === COMPLETE) await (await import('./complete.ts')).complete(cli)
    else await (await createProgram(cli, verb)).parseAsync(own, { from: 'user' })
    return cli.exitCode
  } catch (error) {
    return await tellFailure(cli, verb, error)
  } finally {
    await closeAll(cli)
  }
}

const isKnownWithoutRest = (name: string): boolean => {
  const verb = findVerb(name)
  return verb !== undefined && !verb.takesRest
}

const tellFailure = async (cli: Cli, verb: string, error: unknown): Promise<number> => {
  if (error instanceof BrokenPipeError) return BROKEN_PIPE
  // Help was printed: it was asked for, or a verb is missing.
  if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : WRONG_USAGE
  // By Ctrl-C, which needs no telling.
  if (error instanceof ClientError && error.word === 'aborted') return INTERRUPTED
  await tell(cli, failureLine(error)).catch(() => {}) // There is nobody to tell.
  if (cli.endsAsJob || findVerb(verb)?.endsAsJob) return NEWDT_FAILED
  return error instanceof UsageError || isInvalidRequest(error) ? WRONG_USAGE : 1
}

/** What was typed is passed on, and the agent has found the fault. */
const isInvalidRequest = (error: unknown): boolean =>
  error instanceof ClientError && error.word === 'invalid-request'

process.exitCode = await main(process.argv.slice(2))
