import { type Command, InvalidArgumentError, Option } from 'commander'
import type { CommandRequest } from '../../lib/client/client.ts'
import type { Cli } from './cli.ts'
import { UsageError } from './failure.ts'
import { formatBytes } from './format.ts'

/** How a job is to be run and watched: the options that run, script and rerun share. */
export interface SubmissionOptions {
  detach?: boolean
  rm?: boolean
  timeout?: string
  env?: Record<string, string>
  workdir?: string
  label?: Record<string, string>
  stdin?: boolean
  leftovers?: 'keep' | 'kill'
  outputLimit?: string
  encoding?: string
  idempotencyKey?: string
  user?: string
  memory?: string
  cpus?: number
  processes?: number
  openFiles?: number
  fileSize?: string
  nice?: number
  ioWeight?: number
  /** False with --no-new-privileges. */
  newPrivileges?: boolean
}

export const addSubmissionOptions = (command: Command, { env }: Cli): Command =>
  command
    .option('-d, --detach', 'print the id of the job, and do not wait for it')
    .option('--rm', 'Ctrl-C cancels the job, instead of leaving it to run on')
    .option('--timeout <duration>', 'stop it after that time, such as 30s or 2h')
    .addOption(
      new Option('-e, --env <name=value>', 'a variable for it; NAME alone: as it is here').argParser(
        collectVariables(env),
      ),
    )
    .option('-w, --workdir <directory>', 'where it runs, an absolute path')
    .addOption(
      new Option('--label <name=value>', 'a label that ps can ask for; may be repeated').argParser(
        collectPairs,
      ),
    )
    .option('--stdin', 'send it what is on standard input')
    .addOption(
      new Option('--leftovers <what>', 'processes that it leaves in the background').choices([
        'keep',
        'kill',
      ]),
    )
    .option('--output-limit <size>', 'how much output is kept, such as 1mb')
    .option('--encoding <name>', 'of its output in JSON, such as gbk')
    .option('--idempotency-key <key>', 'the same key again runs nothing, and shows the first job')
    .option('-u, --user <user>', 'whom it runs as: user, or user:group')
    .option('-m, --memory <size>', 'how much memory it may use, such as 512mb or 512m', sizeOf)
    .option('--cpus <number>', 'how many processors it may use, such as 1.5', numberOf)
    .option('--processes <number>', 'how many processes and threads it may have', numberOf)
    .option('--open-files <number>', 'how many files each process may have open', numberOf)
    .option('--file-size <size>', 'how large a file it may write, such as 1gb', sizeOf)
    .option('--nice <number>', 'how far others go first, 0 to 19', numberOf)
    .option('--io-weight <number>', 'its share of the disks, 1 to 10000; others have 100', numberOf)
    .option('--no-new-privileges', 'no setuid program gives it more rights')

/** The part of a submission that these options say. */
export const submissionOf = async (
  cli: Cli,
  options: SubmissionOptions,
): Promise<Omit<CommandRequest, 'cmd' | 'params'>> => {
  const { timeout, env, workdir, label, leftovers, outputLimit, encoding } = options
  const stdin = options.stdin ? await readStdin(cli) : undefined
  const all = { timeout, env, cwd: workdir, labels: label, leftovers, outputLimit, encoding, stdin }
  return withoutAbsent({ ...all, ...restrictionsOf(options) })
}

/** Whom it runs as, and within which limits. */
const restrictionsOf = ({ user, newPrivileges, ...options }: SubmissionOptions) => {
  const { memory, cpus, processes, openFiles, fileSize, nice, ioWeight } = options
  const limits = withoutAbsent({ memory, cpus, processes, openFiles, fileSize, nice, ioWeight })
  return {
    user,
    limits: Object.keys(limits).length > 0 ? limits : undefined,
    noNewPrivileges: newPrivileges === false ? true : undefined,
  }
}

const withoutAbsent = <T extends object>(all: T): Partial<T> =>
  Object.fromEntries(Object.entries(all).filter(([, value]) => value !== undefined)) as Partial<T>

/** As docker writes sizes, too: 512m, 2g. What is none the agent tells. */
const sizeOf = (text: string): string => text.replace(/^([\d.]+) ?([kmgt])$/i, '$1$2b')

const numberOf = (text: string): number => {
  if (!/^\d{1,15}(\.\d{1,9})?$/.test(text)) throw new InvalidArgumentError('It should be a number.')
  return Number(text)
}

/** All of standard input. Throws UsageError when it is no text: that is all that can be sent. */
export const readStdin = async ({ stdin }: Cli): Promise<string> => {
  const parts: Buffer[] = []
  let length = 0
  for await (const part of stdin as AsyncIterable<Buffer>) {
    parts.push(part)
    length += part.length
    if (length > MOST_BYTES)
      throw new UsageError(`standard input has more than ${formatBytes(MOST_BYTES)}, which no agent takes`)
  }
  const bytes = Buffer.concat(parts)
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes)
  } catch {
    throw new UsageError('standard input is not UTF-8; send it as text, for example through base64')
  }
}

/** No agent is set up to take as much as that. */
const MOST_BYTES = 256 * 1024 ** 2

/** For options that may be repeated. Without a prototype: a name may be __proto__. */
export const collectPairs = (text: string, known?: Record<string, string>): Record<string, string> => {
  const at = text.indexOf('=')
  if (at < 1) throw new InvalidArgumentError('It should be NAME=VALUE.')
  return Object.assign(Object.create(null), known, { [text.slice(0, at)]: text.slice(at + 1) })
}

const collectVariables =
  (env: NodeJS.ProcessEnv) =>
  (text: string, known?: Record<string, string>): Record<string, string> => {
    if (text.includes('=')) return collectPairs(text, known)
    const value = Object.hasOwn(env, text) ? env[text] : undefined
    if (value === undefined) throw new InvalidArgumentError(`${text} is not set here; write ${text}=VALUE.`)
    return collectPairs(`${text}=${value}`, known)
  }
