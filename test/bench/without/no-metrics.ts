import { createMetrics as create, type Metrics } from '../../../lib/metrics/metrics.ts'

/** They are there, and count nothing. */
export const createMetrics = (options: Parameters<typeof create>[0]): Metrics => ({
  ...create({ ...options, events: { subscribe: () => () => {} } }),
  request() {},
})
