import { existsSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { basename } from 'node:path'
import { Option } from 'commander'
import type { ScriptRequest } from '../../../lib/client/client.ts'
import type { ScriptType } from '../../../lib/client/script-type.ts'
import type { Cli } from '../cli.ts'
import { quoteWord } from '../command-line.ts'
import { Failure, UsageError } from '../failure.ts'
import { addFleetOptions, type FleetChoice } from '../fleet-options.ts'
import { type Typed, withDashes } from '../missing-dashes.ts'
import { runThere } from '../run-there.ts'
import { scriptTypeOf } from '../script-type.ts'
import { addSubmissionOptions, readStdin, type SubmissionOptions, submissionOf } from '../submission.ts'
import { addHelpOption, addHostOption, type Verb, verb } from '../verb.ts'

type Options = SubmissionOptions & FleetChoice & { type?: ScriptType }

/** A script file of this machine, run there; ends with its exit code. */
export const script: Verb = cli => {
  const command = verb('script', 'run a script file of this machine there, end with its exit code', [
    'newdt script ./check.sh -- --verbose "two words"',
    'newdt script db1 ./report.py --timeout 5m',
    "echo 'hostname; uptime' | newdt script -",
  ])
  command
    .argument('[host-or-file]', 'the script file (- is standard input), or the agent that it runs on')
    .argument('[file]', 'the script file, when a host is named before')
    .usage('[host] <file> [options] [-- <argument...>]')
  addHelpOption(addFleetOptions(addHostOption(addSubmissionOptions(command, cli))), cli, typed =>
    argumentsOf(cli, typed),
  )
  command.addOption(
    new Option('--type <type>', 'by default by its name or first line').choices(['shell', 'python']),
  )
  return command.action(async (first: string | undefined, second: string | undefined, options: Options) => {
    if (first === undefined) throw new UsageError('which script? Such as: newdt script ./check.sh')
    const [host, file] = second === undefined ? [undefined, first] : [first, second]
    if (host !== undefined && existsSync(host))
      throw new UsageError(argumentsOf(cli, { all: command.parent?.args ?? [], words: command.args }))
    const request = { ...(await submissionOf(cli, options)), ...(await scriptOf(cli, file, options)) }
    cli.exitCode = await runThere(cli, host, request, options)
  })
}

const argumentsOf = ({ rest, fleet }: Cli, { all, words }: Typed): string => {
  const [first = '', second] = words
  const own = second === undefined || first === '-' || existsSync(first) ? 1 : 2
  const meant = rest ? undefined : withDashes({ all, words }, own, { fleet })
  return `what the script is given stands behind --${meant === undefined ? ', such as: newdt script ./check.sh -- -h' : `: ${meant}`}`
}

const scriptOf = async (cli: Cli, file: string, { type, stdin }: Options): Promise<ScriptRequest> => {
  if (file === '-' && stdin) throw new UsageError('standard input cannot be both, the script and its input')
  const scriptContent = file === '-' ? await readStdin(cli) : await readScript(file)
  return {
    scriptName: file === '-' ? 'stdin' : nameOf(file),
    scriptContent,
    scriptType: type ?? scriptTypeOf(file, scriptContent),
    params: (cli.rest ?? []).map(quoteWord).join(' '),
  }
}

const readScript = async (file: string): Promise<string> => {
  const bytes = await readFile(file).catch(error => {
    throw new Failure(`the script cannot be read: ${(error as Error).message.replace(/^E[A-Z]+: /, '')}`)
  })
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes)
  } catch {
    throw new UsageError(`${file}: is not UTF-8, so it cannot be sent`)
  }
}

/** What an agent takes for a name of a script. */
const nameOf = (file: string): string =>
  basename(file)
    .replace(/[^\p{Script=Han}\w.-]/gu, '_')
    .slice(0, 100)
