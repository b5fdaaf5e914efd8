import { overIdleOf } from './memory.ts'
import type { Results } from './rounds.ts'
import type { Column } from './row.ts'

/** Of what `load` finds. */
export const loadColumns = (results: Results, unit: string): Column[] => [
  { title: unit, digits: 0, of: name => results.median(name, 'perSecond') },
  { title: 'spread', digits: 0, of: name => results.spread(name, 'perSecond') },
  { title: 'p50 ms', digits: 2, of: name => results.median(name, 'p50Ms') },
  { title: 'p99 ms', digits: 2, of: name => results.median(name, 'p99Ms') },
]

/** What a process has in memory when it is idle, at most, and the difference. */
export const memoryColumns = (results: Results): Column[] => [
  { title: 'idle MB', digits: 0, of: name => results.median(name, 'idleMb') },
  { title: 'peak MB', digits: 0, of: name => results.median(name, 'peakMb') },
  { title: 'over idle', digits: 0, of: overIdleOf(results) },
]
