import { formatTimestamp } from '../../lib/base/timestamp.ts'
import type { History, Sample } from '../../lib/metrics/history.ts'
import { ok } from '../http/reply.ts'
import type { Handler } from '../services.ts'

/** How the agent and the host fared in the last hour. */
export const getHistory: Handler = (_request, { history }) => {
  const { everyMs, samples } = history()
  return ok({ everyMs, samples: samples.map(sampleToJson) } satisfies HistoryJson)
}

export interface HistoryJson extends Omit<History, 'samples'> {
  /** The oldest first. */
  samples: SampleJson[]
}

export type SampleJson = Omit<Sample, 'time'> & { time: string }

const sampleToJson = (sample: Sample): SampleJson => ({ ...sample, time: formatTimestamp(sample.time) })
