import { setTimeout } from 'node:timers/promises'
import type { NatsServer } from '../support/nats-server.ts'
import type { FleetHost } from './fleet-host.ts'
import type { Random } from './random.ts'

export interface DisturbOptions {
  hosts: readonly FleetHost[]
  engine: NatsServer
  random: Random
  /** How long the engine waits for a word of an agent, in milliseconds. */
  ackWaitMs: number
  /** Kills the engine, too: then it may lose what it has confirmed. */
  killsEngine: boolean
  signal: AbortSignal
  tell(line: string): void
}

/** Kills, stops and drains agents at random, and restarts the engine, until it is told to stop; counts what it has done. */
export const disturb = async ({
  hosts,
  engine,
  random,
  ackWaitMs,
  killsEngine,
  signal,
  tell,
}: DisturbOptions) => {
  const counts: Record<string, number> = {}
  const busy = new Set<FleetHost>()
  const underWay = new Set<Promise<void>>()

  const begin = (what: string, work: Promise<void>): void => {
    counts[what] = (counts[what] ?? 0) + 1
    tell(what)
    const one = work.finally(() => underWay.delete(one))
    underWay.add(one)
  }

  const toHost = (host: FleetHost, what: string): Promise<void> => {
    const pauseMs = random.between(0, ackWaitMs * 2)
    const work = async (): Promise<void> => {
      if (what === 'stopped and continued') {
        host.signal('SIGSTOP')
        await setTimeout(pauseMs)
        return host.signal('SIGCONT')
      }
      await host.end(SIGNALS[what]!)
      await setTimeout(pauseMs / 2)
      await host.start()
    }
    busy.add(host)
    return work().finally(() => busy.delete(host))
  }

  const toEngine = async (): Promise<void> => {
    const isKilled = random.next() < 0.5 && killsEngine
    const pauseMs = random.next() < 0.3 ? random.between(ackWaitMs, ackWaitMs * 2) : random.between(0, 500)
    await engine.end(isKilled ? 'SIGKILL' : 'SIGTERM')
    await setTimeout(pauseMs)
    await engine.start()
  }

  let isEngineBusy = false
  while (!signal.aborted) {
    await setTimeout(random.between(200, 1500))
    if (signal.aborted) break
    const idle = hosts.filter(host => !busy.has(host) && host.isUp())
    const what = random.one([...Object.keys(SIGNALS), 'stopped and continued', 'killed', 'engine'])
    if (what === 'engine' && !isEngineBusy && random.next() < 0.4) {
      isEngineBusy = true
      begin(
        'engine restarted',
        toEngine().finally(() => {
          isEngineBusy = false
        }),
      )
    } else if (what !== 'engine' && idle.length > 1 && busy.size < hosts.length / 2) {
      const host = random.one(idle)
      begin(what, toHost(host, what))
    }
  }
  await Promise.all(underWay)
  return counts
}

const SIGNALS: Record<string, NodeJS.Signals> = {
  killed: 'SIGKILL',
  terminated: 'SIGTERM',
  drained: 'SIGUSR2',
}
