import { InvalidArgumentError, Option } from 'commander'
import type { JobQuery, ListedJob } from '../../../lib/client/client.ts'
import type { FleetLabel } from '../../../lib/fleet/names.ts'
import { askAgent, isInFleet } from '../ask.ts'
import { type Cli, tell } from '../cli.ts'
import { UsageError } from '../failure.ts'
import { onOption } from '../fleet-options.ts'
import { formatAge, formatDuration } from '../format.ts'
import { instantOf } from '../instant.ts'
import { type JobOfHost, listJobs, listOnHosts } from '../list-jobs.ts'
import { type OutputFormat, outputOption, printRows } from '../output-format.ts'
import type { Colour } from '../sink.ts'
import type { Column } from '../table.ts'
import { addHostOption, chosenHost, type Verb, verb } from '../verb.ts'
import { type NamedHost, whichHosts } from '../which-host.ts'
import { wholeNumber } from '../whole-number.ts'

interface Options {
  all?: boolean
  failed?: boolean
  state?: string
  since?: string
  until?: string
  label?: string[]
  caller?: string
  grep?: string
  number: number
  quiet?: boolean
  output: OutputFormat
  host?: string
  hosts?: string
  on?: FleetLabel[]
}

/** `host` is there when several are asked. */
type Row = ListedJob & Partial<Pick<JobOfHost, 'host'>>

/** The jobs of an agent; those that run, unless more is asked for. */
export const ps: Verb = cli => {
  const command = verb('ps', 'list jobs: those that run, or others by -a, --failed, --state, --since', [
    'newdt ps',
    'newdt ps --failed --since 1h',
    'newdt ps -a --label env=prod --grep backup -n 200',
    'newdt ps -q | xargs -r newdt cancel',
    "newdt ps --hosts 'web*' --failed --since 2026-01-31",
    'newdt ps --fleet prod --on role=db',
  ])
  addHostOption(command)
    .option('--hosts <patterns>', "of several hosts of the file, or of the fleet, such as 'web*,db1'")
    .addOption(onOption('of all hosts of the fleet with this label; repeated: with all of them'))
    .option('-a, --all', 'jobs in any state')
    .option('--failed', 'jobs that failed; like --state failed')
    .option('--state <states>', 'running, success, failed, canceled, rejected; several with commas')
    .option(
      '--since <time>',
      'created since then: 2026-01-31, "2026-01-31 12:00", today, yesterday, 1h ago, 2026-01-31T12:00:00Z',
      instantOf,
    )
    .option('--until <time>', 'created before then', instantOf)
    .addOption(
      new Option('--label <name=value>', 'with this label; may be repeated').argParser(collectLabels),
    )
    .option('--caller <key>', 'submitted by this key')
    .option('--grep <text>', 'with this text in the command, parameters or script name')
    .addOption(
      new Option('-n, --number <number>', 'so many at most, the newest').default(50).argParser(wholeNumber),
    )
    .option('-q, --quiet', 'ids alone')
    .addOption(outputOption())
  return command.action(async (options: Options) => {
    const { isOfHosts, isOfFleet, rows: found } = await find(cli, options, options.number + 1)
    const jobs = found.slice(0, options.number)
    if (options.quiet)
      // In a fleet an id is enough; of hosts of the file one has to say which of them has the job.
      await cli.out.write(
        jobs
          .map(({ host, id }) => (host === undefined || isOfFleet ? `${id}\n` : `${host} ${id}\n`))
          .join(''),
      )
    else await printRows(cli, jobs, columnsFor(jobs, isOfHosts), options.output)
    // Whoever says how many knows.
    if (found.length > jobs.length && command.getOptionValueSource('number') === 'default')
      await tell(cli, `there are more; -n ${options.number * 4} shows more of them`)
  })
}

const find = async (
  cli: Cli,
  { host, hosts, on, ...options }: Options,
  number: number,
): Promise<{ isOfHosts: boolean; isOfFleet: boolean; rows: Row[] }> => {
  const query = queryOf(options)
  chosenHost(host, hosts, on && '--on')
  const several = host === undefined ? await severalHosts(cli, hosts, on) : undefined
  const isOfFleet = on !== undefined || isInFleet(cli, host)
  if (several) return { isOfHosts: true, isOfFleet, rows: await listOnHosts(cli, several, query, number) }
  const { client } = await askAgent(cli, host)
  return { isOfHosts: false, isOfFleet, rows: await listJobs(client, query, number) }
}

/** Of a fleet all of them, unless some are named. */
const severalHosts = async (
  cli: Cli,
  hosts: string | undefined,
  on: FleetLabel[] | undefined,
): Promise<NamedHost[] | undefined> => {
  if (!isInFleet(cli) && !on) return hosts === undefined ? undefined : whichHosts(cli.env, hosts)
  const fleet = await (await import('../open-fleet.ts')).openFleet(cli)
  const found = hosts === undefined ? await fleet.all(on) : await fleet.matching(hosts)
  if (found.length === 0) await tell(cli, `${fleet.name}: no such agent is there; newdt hosts`)
  return found
}

const collectLabels = (text: string, known: string[] = []): string[] => {
  if (text.indexOf('=') < 1) throw new InvalidArgumentError('It should be NAME=VALUE.')
  return [...known, text]
}

const queryOf = ({ all, failed, state, since, until, label, caller, grep }: Options): JobQuery => {
  if (failed && state !== undefined) throw new UsageError('--failed and --state say the same thing; use one')
  // Who asks for a time asks for what was then.
  const isPast = all || since !== undefined || until !== undefined
  const states = failed ? 'failed' : (state ?? (isPast ? undefined : 'running'))
  const query = { state: states, since, until, label: label?.join(','), caller, q: grep }
  return Object.fromEntries(Object.entries(query).filter(([, value]) => value !== undefined))
}

const columnsFor = (jobs: readonly Row[], isOfHosts: boolean): Column<Row>[] => {
  const digits = distinctDigits(jobs.map(({ id }) => id))
  const now = Date.now()
  return [
    ...(isOfHosts ? [{ head: 'HOST', text: ({ host = '' }: Row) => host }] : []),
    { head: 'ID', text: ({ id }) => id.slice(0, digits) },
    {
      head: 'STATE',
      text: ({ state }) => state,
      colour: ({ state }) => (Object.hasOwn(COLOURS, state) ? COLOURS[state] : undefined),
    },
    { head: 'EXIT', text: exitText },
    { head: 'CREATED', text: ({ createTime }) => formatAge(now - Date.parse(createTime)) },
    { head: 'DURATION', text: job => durationText(job, now) },
    { head: 'CALLER', text: ({ caller }) => caller },
    { head: 'COMMAND', text: commandText },
  ]
}

const COLOURS: Partial<Record<ListedJob['state'], Colour>> = {
  running: 'cyan',
  success: 'green',
  failed: 'red',
  canceled: 'yellow',
}

const exitText = ({ state, reason, exitCode, signal }: ListedJob): string => {
  if (state === 'running' || state === 'rejected') return '-'
  // Whatever its own process made of it.
  if (reason === 'out-of-memory') return reason
  if (signal !== '') return signal.replace(/^SIG/, '')
  return reason === 'exited' ? String(exitCode) : reason
}

/** Of a script the name as it was sent, not where the agent has put it. */
const commandText = ({ execCmd, scriptName, params }: ListedJob): string =>
  scriptName === '' ? execCmd : `${scriptName} ${params}`

const durationText = ({ state, startTime, finishTime, pid }: ListedJob, now: number): string => {
  if (pid === 0) return '-'
  return formatDuration((state === 'running' ? now : Date.parse(finishTime)) - Date.parse(startTime))
}

/** How many digits of their ids tell the jobs apart; ids sort by time, and twelve digits are a millisecond. */
const distinctDigits = (all: readonly string[]): number => {
  const ids = [...new Set(all)] // Two names may be those of one agent.
  let digits = 12
  while (new Set(ids.map(id => id.slice(0, digits))).size < ids.length) digits++
  return digits
}
