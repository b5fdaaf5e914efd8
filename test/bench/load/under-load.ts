import type { Bench } from '../bench.ts'
import type { Contestant } from '../rounds.ts'
import type { Target } from './load.ts'
import { warmUp } from './warm-up.ts'

/** Contestants that answer so many connections. */
export const underLoad =
  ({ load, options }: Bench, connections: number) =>
  (name: string, target: Target): Contestant => ({
    name,
    warmUp: () => warmUp(seconds => load({ ...target, connections, seconds }), options.seconds),
    measure: () => load({ ...target, connections, seconds: options.seconds }),
  })
