import type { Bench } from './bench.ts'
import type { Results } from './rounds.ts'

export interface Row {
  number: number
  title: string
  run(bench: Bench): Promise<Outcome>
}

export interface Outcome {
  results: Results
  columns: Column[]
  goals: Goal[]
}

export interface Column {
  title: string
  /** After the decimal point. */
  digits: number
  of(contestant: string): Cell
}

export type Cell = number | [least: number, most: number] | undefined

/** What the agent is meant to reach; informational. */
export interface Goal {
  text: string
  /** Undefined when it was not measured. */
  value: number | undefined
  reached: boolean | undefined
}

export const atLeast = (least: number, unit: string, value: number | undefined): Goal => ({
  text: `≥ ${least} ${unit}`,
  value,
  reached: value === undefined ? undefined : value >= least,
})

export const atMost = (most: number, unit: string, value: number | undefined): Goal => ({
  text: `≤ ${most} ${unit}`,
  value,
  reached: value === undefined ? undefined : value <= most,
})
