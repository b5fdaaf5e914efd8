/** NaN for no values. */
export const median = (values: number[]): number => percentile(values, 50)

/** By linear interpolation between the nearest ranks. */
export const percentile = (values: number[], percent: number): number => {
  const sorted = values.toSorted((a, b) => a - b)
  const rank = ((sorted.length - 1) * percent) / 100
  const below = sorted[Math.floor(rank)] ?? Number.NaN
  const above = sorted[Math.ceil(rank)] ?? Number.NaN
  return below + (above - below) * (rank - Math.floor(rank))
}

/**
 * Adds what the clients would have measured had they not waited for the slow answers: wrk's correction of
 * "coordinated omission", for the others, so that all percentiles mean the same.
 */
export const correctOmission = (times: number[], totalMs: number, clients: number): number[] => {
  const interval = (totalMs * clients) / times.length
  const omitted: number[] = []
  for (const time of times) {
    for (let missed = time - interval; missed > interval; missed -= interval) omitted.push(missed)
  }
  return [...times, ...omitted]
}
