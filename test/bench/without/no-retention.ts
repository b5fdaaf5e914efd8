import type { Retention } from '../../../lib/store/retention.ts'

/** Nothing is stored, so nothing has to go. */
export const createRetention = (): Retention => ({
  added() {},
  isPruningDue: () => false,
  prune: () => 0,
  giveBack: () => false,
  keep: () => () => {},
})
