import { type Command, InvalidArgumentError, Option } from 'commander'
import type { CommandRequest } from '../../lib/client/client.ts'
import { NOTIFY_ON, type NotifyOn } from '../../lib/jobs/job.ts'
import { parseLimit, rangeText } from '../../lib/jobs/limits.ts'
import type { LimitName } from '../../lib/process/types.ts'
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
  notify?: string
  notifyOn?: NotifyOn[]
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
    .option('--output-limit <size>', 'how much output is kept, such as 1m')
    .option('--encoding <name>', 'of its output in JSON, such as gbk')
    .option('--idempotency-key <key>', 'the same key again runs nothing, and shows the first job')
    .option('-u, --user <user>', 'whom it runs as: user, or user:group')
    .option('-m, --memory <size>', 'how much memory it may use, such as 512m or 1.5g')
    .option('--cpus <number>', 'how many processors it may use, such as 1.5', limitOf('cpus'))
    .option('--processes <number>', 'how many processes and threads it may have', limitOf('processes'))
    .option('--open-files <number>', 'how many files each process may have open', limitOf('openFiles'))
    .option('--file-size <size>', 'how large a file it may write, such as 1g')
    .option('--nice <number>', 'how far others go first, 0 to 19', limitOf('nice'))
    .option(
      '--io-weight <number>',
      'its share of the disks, 1 to 10000; others have 100',
      limitOf('ioWeight'),
    )
    .option('--no-new-privileges', 'no setuid program gives it more rights')
    .option('--notify <url>', 'who is told of its end, of an origin that the agent allows')
    .addOption(
      new Option('--notify-on <event>', `of what instead: ${NOTIFY_ON.join(', ')}; may be repeated`)
        .choices(NOTIFY_ON)
        .argParser(collectEvents),
    )

/** The part of a submission that these options say. */
export const submissionOf = async (
  cli: Cli,
  options: SubmissionOptions,
): Promise<Omit<CommandRequest, 'cmd' | 'params'>> => {
  const { timeout, env, workdir, label, leftovers, outputLimit, encoding } = options
  const stdin = options.stdin ? await readStdin(cli) : undefined
  const all = { timeout, env, cwd: workdir, labels: label, leftovers, outputLimit, encoding, stdin }
  return withoutAbsent({ ...all, ...restrictionsOf(options), notify: notifyOf(options) })
}

const notifyOf = ({ notify: url, notifyOn: on }: SubmissionOptions): CommandRequest['notify'] => {
  if (url !== undefined) return on ? { url, on } : { url }
  if (on) throw new UsageError('--notify-on says of what, and --notify, which is missing, says whom')
  return undefined
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

const limitOf =
  (name: LimitName) =>
  (text: string): number => {
    const value = parseLimit(name, text)
    if (value === undefined) throw new InvalidArgumentError(`It should be ${rangeText(name)}.`)
    return value
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

const collectEvents = (text: string, known: NotifyOn[] = []): NotifyOn[] => {
  const event = NOTIFY_ON.find(one => one === text)
  if (!event) throw new InvalidArgumentError(`Allowed choices are ${NOTIFY_ON.join(', ')}.`)
  return known.includes(event) ? known : [...known, event]
}

const collectVariables =
  (env: NodeJS.ProcessEnv) =>
  (text: string, known?: Record<string, string>): Record<string, string> => {
    if (text.includes('=')) return collectPairs(text, known)
    const value = Object.hasOwn(env, text) ? env[text] : undefined
    if (value === undefined) throw new InvalidArgumentError(`${text} is not set here; write ${text}=VALUE.`)
    return collectPairs(`${text}=${value}`, known)
  }
