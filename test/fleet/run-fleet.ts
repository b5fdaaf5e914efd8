import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createPublisher } from '../support/fleet-queue.ts'
import { type NatsServer, startNatsServer } from '../support/nats-server.ts'
import { waitFor } from '../support/wait-for.ts'
import { createFleetHost, type FleetHost } from './fleet-host.ts'
import { type Published, publishJobs } from './publish.ts'
import type { Random } from './random.ts'
import { type Report, reportOf } from './report.ts'
import { watchEnds } from './watch-ends.ts'

export interface RunOptions {
  agents: number
  jobs: number
  /** Of each agent. */
  slots: number
  rate?: number
  isQuick?: boolean
  ackWaitMs: number
  random: Random
  /** How long the last may take when nothing is disturbed any more. */
  deadlineMs: number
  /** Goes on until it is aborted, or by itself. */
  disturb(
    hosts: FleetHost[],
    engine: NatsServer,
    signal: AbortSignal,
    published: () => number,
  ): Promise<unknown>
  tell?(line: string): void
}

/** Runs jobs on a fleet that is disturbed meanwhile, and tells what has become of each. */
export const runFleet = async (options: RunOptions): Promise<Report & { seconds: number }> => {
  const { agents, jobs, slots, rate, isQuick, ackWaitMs, random, deadlineMs, tell = () => {} } = options
  const directory = mkdtempSync(join(tmpdir(), 'test-fleet-'))
  const runs = join(directory, 'runs')
  writeFileSync(runs, '')
  await using engine = await startNatsServer()
  await using publisher = await createPublisher(engine, { ackWaitMs })
  const hosts = Array.from({ length: agents }, (_, number) =>
    createFleetHost({ name: `host${number + 1}`, engine, runs, slots }),
  )
  try {
    // A few at a time: the start of one takes much of a core.
    for (let from = 0; from < hosts.length; from += 4)
      await Promise.all(hosts.slice(from, from + 4).map(host => host.start()))
    const ends = await watchEnds(publisher)
    const published: Published[] = []
    const over = new AbortController()
    const since = performance.now()
    const disturbed = options.disturb(hosts, engine, over.signal, () => published.length)
    await publishJobs({ publisher, jobs, rate, isQuick, random, onPublished: one => published.push(one) })
    tell(`all are published after ${Math.round((performance.now() - since) / 1000)} s`)
    over.abort()
    await disturbed
    await Promise.all(hosts.map(host => (host.isUp() ? undefined : host.start())))
    await waitFor('all have an end', () => ends.ends.size >= jobs, deadlineMs).catch(error =>
      tell(String(error)),
    )
    const seconds = Math.round((performance.now() - since) / 100) / 10
    await ends.readAll()
    await Promise.all(hosts.map(host => host.end('SIGTERM')))
    await ends.stop()
    return { ...reportOf(published, ends.ends, readFileSync(runs, 'utf8'), ends.changed()), seconds }
  } finally {
    await Promise.all(hosts.map(host => host.end('SIGKILL')))
    for (const host of hosts) host.remove()
    rmSync(directory, { recursive: true, force: true })
  }
}
