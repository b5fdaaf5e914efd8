import { existsSync } from 'node:fs'
import { basename, join, resolve } from 'node:path'
import { parseArgs } from 'node:util'

/** The command line is wrong; the message is one line. */
export class OptionError extends Error {}

export interface Options {
  /** Numbers of the rows that are measured. */
  rows: number[]
  rounds: number
  /** How long one measurement under load takes. */
  seconds: number
  /** Finished jobs in the largest store. */
  history: number
  /** Other checkouts of this program, measured beside it. */
  also: string[]
  json: boolean
}

/** Throws OptionError. */
export const readOptions = (args: string[]): Options => {
  const values = parse(args)
  const profile = values.quick ? QUICK : FULL
  const number = (name: 'rounds' | 'seconds' | 'history'): number => {
    const text = values[name]
    return text === undefined ? profile[name] : numberOf(name, text)
  }
  const also = values.also.map(directory => resolve(directory))
  requireCheckouts(also)
  return {
    rows: values.row.length === 0 ? ROW_NUMBERS : values.row.map(rowNumberOf),
    rounds: number('rounds'),
    seconds: number('seconds'),
    history: number('history'),
    also,
    json: values.json,
  }
}

const parse = (args: string[]) => {
  try {
    return parseArgs({
      args,
      options: {
        quick: { type: 'boolean', default: false },
        row: { type: 'string', multiple: true, default: [] },
        rounds: { type: 'string' },
        seconds: { type: 'string' },
        history: { type: 'string' },
        also: { type: 'string', multiple: true, default: [] },
        json: { type: 'boolean', default: false },
      },
    }).values
  } catch (error) {
    throw new OptionError(`${(error as Error).message}; docs/benchmarks.md has the options`)
  }
}

const FULL = { rounds: 5, seconds: 2.5, history: 100_000 }
const QUICK = { rounds: 3, seconds: 0.3, history: 100_000 }
const ROW_NUMBERS = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10]

/** A tenth of the history is a history too. */
const LEAST = { rounds: 1, seconds: 0.1, history: 10 }
const MOST = { rounds: 1000, seconds: 3600, history: 10_000_000 }

const numberOf = (name: keyof typeof LEAST, text: string): number => {
  const value = Number(text)
  const isWhole = name === 'seconds' || Number.isInteger(value)
  if (text.trim() !== '' && isWhole && value >= LEAST[name] && value <= MOST[name]) return value
  const kind = name === 'seconds' ? 'number' : 'whole number'
  throw new OptionError(`--${name} ${text}: must be a ${kind} from ${LEAST[name]} to ${MOST[name]}`)
}

const rowNumberOf = (text: string): number => {
  const row = ROW_NUMBERS.find(number => String(number) === text)
  if (row === undefined) throw new OptionError(`--row ${text}: must be one of ${ROW_NUMBERS.join(', ')}`)
  return row
}

const requireCheckouts = (directories: string[]): void => {
  for (const directory of directories) {
    if (!existsSync(join(directory, 'runtime/main.ts'))) {
      throw new OptionError(`--also ${directory}: no checkout of this program`)
    }
  }
  // The table tells them apart by that.
  const names = directories.map(directory => basename(directory))
  const twice = names.find((name, at) => names.indexOf(name) !== at)
  if (twice !== undefined) throw new OptionError(`--also: two directories are named ${twice}`)
}
