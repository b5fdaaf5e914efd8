import type { OutboxSink } from '../outbox-store.ts'

/** What waits. */
export interface Load {
  entries: number
  /** Of payloads. */
  bytes: number
}

/** How much waits for each sink, and for each of its origins. */
export const createOutboxTally = () => {
  const sinks = new Map<OutboxSink, { all: Load; origins: Map<string, Load> }>()

  return {
    of: (sink: OutboxSink): Load => sinks.get(sink)?.all ?? NOTHING,

    /** The origin with the most of it; undefined where nothing waits. */
    largest(sink: OutboxSink, by: keyof Load): string | undefined {
      let most: { origin: string; load: Load } | undefined
      for (const [origin, load] of sinks.get(sink)?.origins ?? [])
        if (!most || load[by] > most.load[by]) most = { origin, load }
      return most?.origin
    },

    /** More, or less, waits. */
    change(sink: OutboxSink, origin: string, { entries, bytes }: Load): void {
      const { all, origins } = sinks.get(sink) ?? { all: NOTHING, origins: new Map<string, Load>() }
      const before = origins.get(origin) ?? NOTHING
      sinks.set(sink, { all: sum(all, entries, bytes), origins })
      if (before.entries + entries > 0) origins.set(origin, sum(before, entries, bytes))
      else origins.delete(origin)
    },
  }
}

const NOTHING: Load = { entries: 0, bytes: 0 }

const sum = (load: Load, entries: number, bytes: number): Load => ({
  entries: load.entries + entries,
  bytes: load.bytes + bytes,
})
