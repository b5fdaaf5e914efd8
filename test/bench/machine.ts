import { cpus, release } from 'node:os'
import type { Bench } from './bench.ts'

/** What the figures depend on, and what could not be measured. */
export const describeMachine = ({ tools, options }: Bench) => {
  const processors = cpus()
  const missing = Object.entries(tools).flatMap(([name, path]) => (path === undefined ? [name] : []))
  return {
    cpu: processors[0]?.model.trim() ?? 'unknown',
    cores: processors.length,
    kernel: release(),
    node: process.versions.node,
    load: tools.wrk === undefined ? 'autocannon' : 'wrk',
    rounds: options.rounds,
    seconds: options.seconds,
    missing,
  }
}

export type Machine = ReturnType<typeof describeMachine>

export const formatMachine = ({ missing, ...machine }: Machine): string => {
  const lines = [
    `${machine.cpu}, ${machine.cores} cores, Linux ${machine.kernel}, Node ${machine.node}, load by ${machine.load}`,
    `rounds: ${machine.rounds} of ${machine.seconds} s; medians (least–most); ratios and added times are taken in each round`,
  ]
  if (missing.length > 0) {
    lines.push(
      `not installed, so not measured or used: ${missing.join(', ')}; apt-get install ${missing.join(' ')}`,
    )
  }
  return `${lines.join('\n')}\n`
}
