import { InvalidArgumentError, Option } from 'commander'
import type { FleetHost } from '../../../lib/fleet/find-hosts.ts'
import { type FleetLabel, labelText, parseLabel } from '../../../lib/fleet/names.ts'
import { isFinal, type QueuedJob, type QueuedState } from '../../../lib/fleet/queue/queued-job.ts'
import { unwrap } from '../ask.ts'
import { tell } from '../cli.ts'
import { onlyLabel } from '../fleet-options.ts'
import { formatAge, formatDuration } from '../format.ts'
import { openFleet } from '../open-fleet.ts'
import { type OutputFormat, outputOption, printRows } from '../output-format.ts'
import { queuedHow } from '../queued-end.ts'
import type { Colour } from '../sink.ts'
import type { Column } from '../table.ts'
import { type Verb, verb } from '../verb.ts'
import { wholeNumber } from '../whole-number.ts'

interface Options {
  all?: boolean
  state?: QueuedState[]
  any?: FleetLabel
  number: number
  quiet?: boolean
  output: OutputFormat
}

/** What waits and what runs; with more options also what has ended in the last week. */
export const queueList: Verb = cli => {
  const command = verb('ls', 'list what waits and what runs; others by -a or --state', [
    'newdt queue ls --fleet prod',
    'newdt queue ls --state dead',
    'newdt queue ls -q --any role=builder | xargs -r newdt queue cancel',
  ])
    .alias('list')
    .option('-a, --all', 'also those that have ended, which are kept for a week')
    .addOption(
      new Option(
        '--state <states>',
        'waiting, running, ended, dead, canceled; several with commas',
      ).argParser(states),
    )
    .addOption(new Option('--any <name=value>', 'those for hosts with this label').argParser(onlyLabel))
    .addOption(
      new Option('-n, --number <number>', 'so many at most, the newest').default(50).argParser(wholeNumber),
    )
    .option('-q, --quiet', 'ids alone')
    .addOption(outputOption())
  return command.action(async (options: Options) => {
    const { state, all, any, number, quiet, output } = options
    const open = await openFleet(cli)
    const listed = unwrap(await open.fleet().queue.list())
    const found = listed.filter(
      job =>
        (state ? state.includes(job.state) : all || !isFinal(job)) && (!any || job.label === labelText(any)),
    )
    const jobs = found.slice(0, number)
    if (quiet) await cli.out.write(jobs.map(({ id }) => `${id}\n`).join(''))
    else {
      const isTable = output === 'table' && jobs.length > 0
      // Who may not look for agents sees no notes on them.
      const hosts = isTable ? await open.hosts().catch(() => undefined) : undefined
      await printRows(cli, jobs, columnsFor(listed, hosts), output)
    }
    if (found.length > jobs.length && command.getOptionValueSource('number') === 'default')
      await tell(cli, `there are more; -n ${number * 4} shows more of them`)
  })
}

const STATES: readonly string[] = ['waiting', 'running', 'ended', 'dead', 'canceled'] satisfies QueuedState[]

const states = (text: string): QueuedState[] => {
  const named = text.split(',')
  const stray = named.find(one => !STATES.includes(one))
  if (stray !== undefined) throw new InvalidArgumentError(`It should be of ${STATES.join(', ')}.`)
  return named as QueuedState[]
}

/** `hosts` are the agents that are there; undefined when that is not known. */
const columnsFor = (
  all: readonly QueuedJob[],
  hosts: readonly FleetHost[] | undefined,
): Column<QueuedJob>[] => {
  const digits = distinctDigits(all.map(({ id }) => id))
  const now = Date.now()
  return [
    { head: 'ID', text: ({ id }) => id.slice(0, digits) },
    {
      head: 'STATE',
      text: job => (isExpired(job, now) ? 'expired' : job.state),
      colour: job => (isExpired(job, now) ? 'red' : COLOURS[job.state]),
    },
    { head: 'LABEL', text: ({ label, priority }) => (priority === 'high' ? `${label} (high)` : label) },
    { head: 'CREATED', text: ({ createdAt }) => formatAge(now - Date.parse(createdAt)) },
    { head: 'TRY', text: ({ runs, tries, once }) => `${runs.length}/${once ? 1 : tries}` },
    { head: 'HOST', text: ({ runs }) => runs.at(-1)?.host ?? '-' },
    { head: 'NOTE', text: job => noteOf(job, now, hosts) },
    { head: 'COMMAND', text: ({ summary }) => summary },
  ]
}

const COLOURS: Partial<Record<QueuedState, Colour>> = { running: 'cyan', dead: 'red', canceled: 'yellow' }

/** The engine keeps it as waiting until an agent comes to it. */
const isExpired = ({ state, expiresAt }: QueuedJob, now: number): boolean =>
  state === 'waiting' && now > Date.parse(expiresAt)

const noteOf = (job: QueuedJob, now: number, hosts: readonly FleetHost[] | undefined): string => {
  if (isExpired(job, now)) return 'no host had a free slot in time'
  if (job.state === 'waiting') {
    const expires = `expires in ${formatDuration(Date.parse(job.expiresAt) - now)}`
    const isNobody = hosts?.every(({ labels }) => !isOf(labels, job.label))
    return isNobody ? `no agent has ${job.label}; ${expires}` : expires
  }
  if (job.state === 'running') {
    const host = job.runs.at(-1)?.host
    return hosts?.every(({ name }) => name !== host) ? `${host} is not there` : ''
  }
  return job.state === 'ended' || job.state === 'dead' ? queuedHow(job) : ''
}

const isOf = (labels: FleetHost['labels'], text: string): boolean => {
  const label = parseLabel(text)
  return label !== undefined && labels[label.name] === label.value
}

/** How many letters of their ids tell the jobs apart. */
const distinctDigits = (ids: readonly string[]): number => {
  let digits = 8
  while (new Set(ids.map(id => id.slice(0, digits))).size < ids.length) digits++
  return digits
}
