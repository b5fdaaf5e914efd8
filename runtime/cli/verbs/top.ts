import { setTimeout } from 'node:timers/promises'
import type { Job, JobProcess } from '../../../lib/client/client.ts'
import { unwrap } from '../ask.ts'
import { findJob } from '../find-jobs.ts'
import { formatBytes, formatDuration, printable } from '../format.ts'
import { onInterrupt } from '../interrupt.ts'
import { type Column, renderTable } from '../table.ts'
import { addHostOption, type Verb, verb } from '../verb.ts'

interface Look {
  at: number
  processes: JobProcess[]
}

/** The processes of a job: on a terminal refreshed until it ends, else once. */
export const top: Verb = cli => {
  const command = verb('top', 'show the processes of a job, refreshed on a terminal', [
    'newdt top 01a202f8d357',
  ])
  addHostOption(command)
    .argument('<id>', 'of the job, or the beginning of it')
    .option('--once', 'print them once')
  return command.action(async (prefix: string, { host, once }: { host?: string; once?: boolean }) => {
    using interrupt = onInterrupt()
    const { signal } = interrupt
    const { job } = await findJob(cli, host, prefix, signal)
    const isLive = cli.out.isTerminal && !once
    let before: Look | undefined
    while (true) {
      const [known, listed] = [await job.get({ output: false, signal }), await job.processes({ signal })]
      if (signal.aborted) return
      const [state, processes] = [unwrap(known), unwrap(listed)]
      const look = { at: performance.now(), processes }
      const page = headOf(state) + renderTable(processes, columnsOf(look, before), cli.out)
      await cli.out.write(isLive ? CLEAR + page : page)
      if (!isLive || state.state !== 'running') return
      before = look
      await setTimeout(REFRESH_MS, undefined, { signal }).catch(() => {})
      if (signal.aborted) return
    }
  })
}

const headOf = (job: Job): string => {
  const { id, state, error, startTime, execCmd } = job
  const how =
    state === 'running' ? `for ${formatDuration(Date.now() - Date.parse(startTime))}${memoryOf(job)}` : error
  return `${id}  ${printable(`${state} ${how}`)}\n${printable(execCmd).slice(0, 200)}\n\n`
}

/** Of the whole job; agents of before tell neither, and others not always. */
const memoryOf = ({ usage, limits }: Job): string => {
  if (typeof usage?.memory !== 'number') return ''
  const most = limits?.memory === undefined ? '' : ` of ${formatBytes(limits.memory)}`
  return `, memory ${formatBytes(usage.memory)}${most}`
}

const columnsOf = (look: Look, before: Look | undefined): Column<JobProcess>[] => [
  { head: 'PID', text: ({ pid }) => String(pid) },
  { head: 'PPID', text: ({ parent }) => String(parent) },
  { head: 'STATE', text: ({ state }) => state },
  { head: 'CPU%', text: process => cpuShare(process, look, before) },
  { head: 'TIME', text: ({ cpu }) => formatDuration((cpu.user + cpu.system) * 1000) },
  { head: 'RSS', text: ({ residentBytes }) => formatBytes(residentBytes) },
  { head: 'COMMAND', text: ({ command }) => command },
]

/** Since the look before; a process that is new since then has none yet. */
const cpuShare = ({ pid, cpu }: JobProcess, look: Look, before: Look | undefined): string => {
  const known = before?.processes.find(process => process.pid === pid)
  if (!before || !known) return '-'
  const seconds = cpu.user + cpu.system - known.cpu.user - known.cpu.system
  return Math.max(0, (seconds * 100_000) / (look.at - before.at)).toFixed(1)
}

const REFRESH_MS = 2000
/** Cursor to the first place, and all behind it away (ECMA-48). */
const CLEAR = '\u001b[H\u001b[J'
