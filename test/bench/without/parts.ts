import { join } from 'node:path'
import { pathToFileURL } from 'node:url'

const SINGLE_PARTS = {
  store: {
    'lib/store/sqlite/jobs.ts': 'jobs-in-memory.ts',
    'lib/store/sqlite/retention.ts': 'no-retention.ts',
  },
  audit: { 'lib/security/audit.ts': 'no-audit.ts' },
  log: { 'runtime/log.ts': 'first-lines.ts' },
  validation: {
    'handlers/http/validate.ts': 'no-validation.ts',
    'handlers/http/simple-json.ts': 'no-validation.ts',
  },
  signature: { 'handlers/http/authenticate.ts': 'anybody.ts' },
  'guardian and mark': {
    'lib/process/linux/guardian.ts': 'no-guardian.ts',
    'lib/process/linux/mark.ts': 'no-mark.ts',
    'lib/process/linux/inheritance.ts': 'no-inheritance.ts',
  },
  adapter: { '@whatwg-node/server': 'least-adapter.ts' },
  router: { 'itty-router': 'least-router.ts' },
  metrics: { 'lib/metrics/metrics.ts': 'no-metrics.ts' },
} as const

/** What can be left out of an agent: modules, and what stands in for each. */
export const PARTS: Record<Part, Record<string, string>> = {
  ...SINGLE_PARTS,
  'any of these': Object.assign({}, ...Object.values(SINGLE_PARTS)),
}

export type Part = keyof typeof SINGLE_PARTS | 'any of these'

/** What Node is to be told, so that an agent lacks it. */
export const importsWithout = (part: Part | undefined): string[] => {
  if (part === undefined) return []
  const url = pathToFileURL(join(import.meta.dirname, 'leave-out.ts'))
  url.search = part
  return ['--import', url.href]
}
