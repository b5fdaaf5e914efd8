import { type Bench, warmUpSeconds } from '../bench.ts'
import type { Contestant } from '../rounds.ts'
import type { Target } from './load.ts'

/** Contestants that answer so many connections. */
export const underLoad =
  ({ load, options }: Bench, connections: number) =>
  (name: string, target: Target): Contestant => ({
    name,
    warmUp: () => load({ ...target, connections, seconds: warmUpSeconds(options) }),
    measure: () => load({ ...target, connections, seconds: options.seconds }),
  })
