import { sizeText } from '../../lib/base/size.ts'
import type { Job } from '../../lib/client/client.ts'

/** Whose limit it was, of a job that the kernel has ended for want of memory; as far as what it has used tells. */
export const outOfMemoryText = ({ limits, usage }: Pick<Job, 'limits' | 'usage'>): string => {
  // Agents of before do not tell.
  const [own, peak] = [limits?.memory, usage?.peakMemory ?? undefined]
  if (own !== undefined && (peak === undefined || peak >= own * NEARLY_ALL))
    return `took more memory than it may (limit ${sizeText(own)})`
  return `was killed for want of memory${own === undefined ? '' : `, below its own limit (${sizeText(own)})`}: all jobs together took more than AGENT_JOBS_MEMORY allows, or the host has no more`
}

/** What is refused was asked for in pieces, and is not in the peak. */
const NEARLY_ALL = 0.9
