import { median } from './statistics.ts'

/** What one measurement found, by name. */
export type Figures = Record<string, number>

/** One of those that are measured beside each other. */
export interface Contestant {
  name: string
  /** Before the first round. */
  warmUp?: () => Promise<unknown>
  measure(): Promise<Figures>
}

/**
 * Measures all of them in every round, so that what the machine does meanwhile meets them all; each round begins
 * with another one.
 */
export const runRounds = async (
  contestants: Contestant[],
  rounds: number,
  progress: (text: string) => void,
): Promise<Results> => {
  const figures = new Map<string, Figures[]>(contestants.map(({ name }) => [name, []]))
  for (const { name, warmUp } of contestants) {
    if (!warmUp) continue
    progress(`${name} is warmed up`)
    await warmUp()
  }
  for (let round = 0; round < rounds; round++) {
    const first = round % contestants.length
    for (const { name, measure } of [...contestants.slice(first), ...contestants.slice(0, first)]) {
      progress(`round ${round + 1} of ${rounds}, ${name}`)
      figures.get(name)!.push(await measure())
    }
  }
  return createResults(figures)
}

/** The figures of all rounds and what follows from them; undefined where somebody was not measured. */
export const createResults = (figures: ReadonlyMap<string, Figures[]>) => {
  const valuesOf = (name: string, key: string): number[] =>
    (figures.get(name) ?? []).flatMap(round => round[key] ?? [])

  /** The median over the rounds of what `combine` makes of both in the same round: noise hits both. */
  const compare = (
    name: string,
    base: string,
    key: string,
    combine: (value: number, base: number) => number,
  ): number | undefined => {
    const bases = valuesOf(base, key)
    return medianOf(valuesOf(name, key).flatMap((value, round) => combine(value, bases[round] ?? Number.NaN)))
  }

  return {
    figures,
    median: (name: string, key: string) => medianOf(valuesOf(name, key)),
    spread(name: string, key: string): [least: number, most: number] | undefined {
      const values = valuesOf(name, key)
      return values.length === 0 ? undefined : [Math.min(...values), Math.max(...values)]
    },
    ratio: (name: string, base: string, key: string) => compare(name, base, key, (a, b) => a / b),
    difference: (name: string, base: string, key: string) => compare(name, base, key, (a, b) => a - b),
  }
}

export type Results = ReturnType<typeof createResults>

const medianOf = (values: number[]): number | undefined => {
  const value = median(values)
  return Number.isFinite(value) ? value : undefined
}
