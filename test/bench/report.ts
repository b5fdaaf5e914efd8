import { formatMachine, type Machine } from './machine.ts'
import type { Outcome, Row } from './row.ts'
import { formatFailure, formatOutcome } from './table.ts'

/** What the user is shown: tables as they come, or one JSON document at the end. */
export interface Report {
  outcome(row: Row, outcome: Outcome): void
  failure(row: Row, reason: string): void
  end(): void
}

export const createTableReport = (machine: Machine, write: (text: string) => void): Report => {
  write(`${formatMachine(machine)}\n`)
  return {
    outcome: ({ number, title }, outcome) => write(`${formatOutcome(number, title, outcome)}\n`),
    failure: ({ number, title }, reason) => write(`${formatFailure(number, title, reason)}\n`),
    end() {},
  }
}

export const createJsonReport = (machine: Machine, write: (text: string) => void): Report => {
  const rows: object[] = []
  return {
    outcome: ({ number, title }, outcome) => void rows.push({ number, title, ...outcomeToJson(outcome) }),
    failure: ({ number, title }, failed) => void rows.push({ number, title, failed }),
    end: () => write(`${JSON.stringify({ machine, rows }, null, 2)}\n`),
  }
}

const outcomeToJson = ({ results, columns, goals }: Outcome) => ({
  contestants: [...results.figures].map(([name, rounds]) => ({
    name,
    /** As in the table; null where there is none. */
    summary: columns.map(({ title, of }) => ({ title, value: of(name) ?? null })),
    rounds,
  })),
  goals: goals.map(({ text, value = null, reached = null }) => ({ text, value, reached })),
})
