import { constants } from 'node:os'
import { type Bench, createBench } from './bench.ts'
import { describeMachine } from './machine.ts'
import { OptionError, type Options, readOptions } from './options.ts'
import { createJsonReport, createTableReport, type Report } from './report.ts'
import { ROWS } from './rows/rows.ts'

const main = async (options: Options): Promise<void> => {
  const begin = performance.now()
  let row = ''
  const bench = createBench(options, text => {
    const seconds = ((performance.now() - begin) / 1000).toFixed(0).padStart(4)
    process.stderr.write(`${seconds} s  ${row}: ${text}\n`)
  })
  endWhenAsked(bench)
  const createReport = options.json ? createJsonReport : createTableReport
  const report = createReport(describeMachine(bench), text => process.stdout.write(text))
  try {
    for (const next of ROWS.filter(({ number }) => options.rows.includes(number))) {
      row = `${next.number}  ${next.title}`
      await runRow(next, bench, report)
      if (bench.scratch.isClosed()) return
    }
    report.end()
  } finally {
    await bench.scratch.remove()
  }
}

/** A row that fails does not keep the others from being measured. */
const runRow = async (row: (typeof ROWS)[number], bench: Bench, report: Report): Promise<void> => {
  try {
    report.outcome(row, await row.run(bench))
  } catch (error) {
    if (bench.scratch.isClosed()) return
    process.exitCode = 1
    report.failure(row, (error as Error).message)
  } finally {
    await bench.scratch.endAll()
  }
}

/** Whatever ends the benchmark, nothing of it stays. */
const endWhenAsked = ({ scratch }: Bench): void => {
  const end = (code: number) => void scratch.remove().finally(() => process.exit(code))
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.once(signal, () => end(128 + constants.signals[signal]))
  }
  process.once('uncaughtException', error => {
    process.stderr.write(`${error.stack}\n`)
    end(1)
  })
}

try {
  if (process.platform !== 'linux') throw new OptionError('it needs Linux: figures are read from /proc')
  await main(readOptions(process.argv.slice(2)))
} catch (error) {
  process.stderr.write(`bench: ${error instanceof OptionError ? error.message : (error as Error).stack}\n`)
  process.exitCode = 1
}
