import { basename } from 'node:path'
import type { EventData } from 'node:test'

interface Row {
  where: string
  name: string
  outcome: 'passed' | 'FAILED' | 'skipped'
  seconds: number
  figures: string[]
}

/** Collects what the tests have shown, from the events of node:test. */
export const createResults = () => {
  const rows: Row[] = []
  /** Told after the end of its test, with its place in the file. */
  const byPlace = new Map<string, Row>()

  const add = (event: EventData.TestPass | EventData.TestFail, outcome: Row['outcome']): void => {
    const { file, name, details } = event
    // A file and a suite are no tests; one that has failed for itself is told.
    if (details.type === 'suite' && (outcome === 'passed' || isOfItsTests(details))) return
    const row = {
      where: basename(file ?? '', '.ts'),
      name,
      outcome,
      seconds: details.duration_ms / 1000,
      figures: [],
    }
    rows.push(row)
    byPlace.set(placeOf(event), row)
  }

  return {
    passed: (event: EventData.TestPass): void => add(event, event.skip === undefined ? 'passed' : 'skipped'),
    failed: (event: EventData.TestFail): void => add(event, 'FAILED'),
    figure: (event: EventData.TestDiagnostic): void =>
      void byPlace.get(placeOf(event))?.figures.push(event.message),
    hasFailure: (): boolean => rows.some(({ outcome }) => outcome === 'FAILED'),

    table(): string {
      const lines = rows.map(
        ({ where, name, outcome, seconds, figures }) =>
          `${outcome}  ${seconds.toFixed(0).padStart(4)} s  ${where.padEnd(10)}  ${[name, ...figures].join(`\n${' '.repeat(29)}`)}\n`,
      )
      return `\n${lines.join('')}`
    },
  }
}

const isOfItsTests = (details: object): boolean =>
  (details as { error?: { failureType?: string } }).error?.failureType === 'subtestsFailed'

const placeOf = ({ file, line, column }: EventData.LocationInfo): string => `${file}:${line}:${column}`
