import { ClientError, type SubmitRequest } from '../../lib/client/client.ts'
import { askHost } from './ask.ts'
import { type Cli, tell } from './cli.ts'
import { exitCodeOf, INTERRUPTED } from './exit-code.ts'
import { failureLine } from './failure.ts'
import { formatDuration } from './format.ts'
import { onInterrupt } from './interrupt.ts'
import { outOfMemoryText } from './out-of-memory.ts'
import { type OutputFormat, printRows } from './output-format.ts'
import { prefixLines } from './prefix-lines.ts'
import { type Colour, type Sink, SinkError } from './sink.ts'
import type { SubmissionOptions } from './submission.ts'
import { submitJob } from './submit.ts'
import { type Column, renderTable } from './table.ts'
import { watchJob, watchOrCancel } from './watch.ts'
import { whileThere } from './watch-presence.ts'
import type { NamedHost } from './which-host.ts'

/** What became of the job on one host. */
interface Row {
  host: string
  state: string
  exitCode: number | null
  durationMs: number
  id: string | null
  /** Why it was no success, when its exit code does not say that. */
  note: string
  isSuccess: boolean
}

interface FleetOptions extends Pick<SubmissionOptions, 'detach' | 'rm' | 'idempotencyKey'> {
  /** On how many hosts at a time. */
  parallel: number
  /** Programs get the rows on standard output, and what the jobs write on standard error. */
  output: OutputFormat
}

/**
 * Runs the same on several hosts, and shows each line behind the name of its host; then a table. Resolves with 1 when
 * it was no success on one of them.
 */
export const runOnHosts = async (
  cli: Cli,
  hosts: readonly NamedHost[],
  request: SubmitRequest,
  { parallel, ...options }: FleetOptions,
): Promise<number> => {
  using interrupt = onInterrupt()
  const unread = new AbortController()
  const signals = { interrupt: interrupt.signal, unread: unread.signal }
  const width = hosts.reduce((most, { name }) => Math.max(most, name.length), 0)
  const waiting = [...hosts.entries()]
  const rows: Row[] = []
  const worker = async (): Promise<void> => {
    for (let next = waiting.shift(); next; next = waiting.shift()) {
      const [index, host] = next
      const colour = COLOURS[index % COLOURS.length]!
      const sinkOf = (sink: Sink) => prefixLines(sink, `${sink.colour(colour, host.name.padEnd(width))} | `)
      rows[index] = await runOnHost(cli, host, request, options, signals, sinkOf)
    }
  }
  const workers = Array.from({ length: Math.min(parallel, hosts.length) }, () =>
    worker().catch(error => {
      unread.abort()
      throw error
    }),
  )
  const [broken] = (await Promise.allSettled(workers)).filter(({ status }) => status === 'rejected')
  if (broken) {
    await tell(cli, 'nobody reads any more, jobs that run go on').catch(() => {})
    throw (broken as PromiseRejectedResult).reason
  }
  const isTable = options.output === 'table'
  if (options.detach && isTable) {
    const started = rows.filter(({ id }) => id !== null)
    await cli.out.write(started.map(({ host, id }) => `${host} ${id}\n`).join(''))
  }
  if (isTable) await cli.err.write(`\n${renderTable(rows, COLUMNS, cli.err)}`)
  else await printRows(cli, rows, COLUMNS, options.output)
  if (interrupt.signal.aborted && !options.rm) {
    await tell(cli, 'detached, jobs that run go on')
    return INTERRUPTED
  }
  return rows.every(({ isSuccess }) => isSuccess) ? 0 : 1
}

/** Never rejects for what is wrong with the host: that is a row. */
const runOnHost = async (
  cli: Cli,
  host: NamedHost,
  request: SubmitRequest,
  { detach, rm, idempotencyKey, output }: Omit<FleetOptions, 'parallel'>,
  { interrupt, unread }: Record<'interrupt' | 'unread', AbortSignal>,
  sinkOf: (sink: Sink) => ReturnType<typeof prefixLines>,
): Promise<Row> => {
  const startedAt = performance.now()
  const either = AbortSignal.any([interrupt, unread])
  let id: string | null = null
  const row = (state: string, end: Partial<Pick<Row, 'exitCode' | 'note' | 'isSuccess'>> = {}): Row => {
    const { exitCode = null, note = '', isSuccess = false } = end
    const durationMs = Math.round(performance.now() - startedAt)
    return { host: host.name, state, exitCode, durationMs, id, note, isSuccess }
  }
  if (either.aborted) return row('not started')
  try {
    const agent = await askHost(await host.load())
    const { client, patient } = agent
    ;({ id } = await submitJob(client, request, { idempotencyKey, signal: either }))
    if (detach) return row('running', { isSuccess: true })
    const job = patient.job(id)
    const [out, err] = [sinkOf(output === 'table' ? cli.out : cli.err), sinkOf(cli.err)]
    const watching = (gone: AbortSignal) =>
      rm
        ? watchOrCancel(cli, job, { signal: interrupt, stop: AbortSignal.any([unread, gone]), out, err })
        : watchJob(cli, job, { signal: AbortSignal.any([either, gone]), out, err })
    const end = await whileThere(agent, watching, { say: line => tell(cli, line) }).catch(async error => {
      if (!(error instanceof SinkError)) await Promise.all([out.flush(), err.flush()])
      throw error
    })
    await Promise.all([out.flush(), err.flush()])
    const note = end.reason === 'out-of-memory' ? outOfMemoryText(end) : ''
    return row(end.state, { exitCode: exitCodeOf(end), isSuccess: end.state === 'success', note })
  } catch (error) {
    if (error instanceof SinkError) throw error
    const word = error instanceof ClientError ? error.word : 'failed'
    if (word === 'aborted') return row('detached')
    const later =
      word === 'gone' ? `; newdt inspect -H ${host.name} ${id} tells what became of it, when it is back` : ''
    return row(word, { note: `${failureLine(error)}${later}` })
  }
}

const COLUMNS: Column<Row>[] = [
  { head: 'HOST', text: ({ host }) => host },
  { head: 'STATE', text: ({ state }) => state, colour: ({ isSuccess }) => (isSuccess ? 'green' : 'red') },
  { head: 'EXIT', text: ({ exitCode }) => String(exitCode ?? '-') },
  { head: 'DURATION', text: ({ durationMs }) => formatDuration(durationMs) },
  { head: 'JOB', text: ({ id }) => id ?? '-' },
  { head: 'NOTE', text: ({ note }) => note },
]

const COLOURS: Colour[] = ['cyan', 'yellow', 'green', 'magenta', 'blue']
