import { JetStreamApiError } from '@nats-io/jetstream'
import type { KV, KvEntry, KvPutOptions } from '@nats-io/kv'

/**
 * A bucket in memory that keeps the latest of each key, with the engine's revisions: one count for the whole bucket, and
 * a change that names another revision than the latest of its key is refused.
 */
export const createFakeKv = () => {
  const latest = new Map<string, Pick<KvEntry, 'operation' | 'revision'> & { text: string }>()
  let count = 0

  const change = (
    key: string,
    operation: 'PUT' | 'DEL',
    text: string,
    { previousSeq }: Partial<KvPutOptions> = {},
  ): number => {
    const expected = latest.get(key)?.revision ?? 0
    if (previousSeq !== undefined && previousSeq !== expected) throw wrongRevision(expected)
    latest.set(key, { operation, text, revision: ++count })
    return count
  }

  const bucket: Pick<KV, 'get' | 'put' | 'delete'> = {
    get: async key => {
      const found = latest.get(key)
      if (!found) return null
      const { operation, text, revision } = found
      const entry = { key, operation, revision, created: new Date(), string: () => text }
      return { ...entry, json: () => JSON.parse(text) } as KvEntry
    },
    put: async (key, value, options) => change(key, 'PUT', value as string, options),
    delete: async (key, options) => void change(key, 'DEL', '', options),
  }

  return {
    ...bucket,
    /** What is stored under a key; undefined for nothing. */
    text: (key: string): string | undefined => {
      const found = latest.get(key)
      return found?.operation === 'PUT' ? found.text : undefined
    },
    /** The keys that something is stored under. */
    keys: (): string[] => [...latest].filter(([, one]) => one.operation === 'PUT').map(([key]) => key),
    /** What the engine does with a key that has become too old. */
    expire: (key: string): void => void latest.delete(key),
  }
}

/** What the engine says of a change that somebody else was faster with. */
export const wrongRevision = (latest: number): JetStreamApiError =>
  new JetStreamApiError({ code: 400, err_code: 10_071, description: `wrong last sequence: ${latest}` })
