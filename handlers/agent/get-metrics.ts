import { Response } from '@whatwg-node/fetch'
import type { Handler } from '../services.ts'

/** What Prometheus scrapes, in its text format, without an envelope. */
export const getMetrics: Handler = async (_request, { metrics }) =>
  new Response(await metrics.text(), { headers: { 'Content-Type': metrics.contentType } })
