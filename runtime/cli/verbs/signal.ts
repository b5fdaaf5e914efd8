import { eachJob } from '../each-job.ts'
import { addHostOption, type Verb, verb } from '../verb.ts'

interface Options {
  signal: string
  all?: boolean
  host?: string
}

/** Sends a signal to jobs; what they make of it is their affair. */
export const signal: Verb = cli => {
  const command = verb('signal', 'send a signal to jobs', [
    'newdt signal -s HUP 01a202f8d357',
    'newdt signal -s STOP --all 01a202f8d357',
  ])
  addHostOption(command)
    .argument('<id...>', 'of the jobs, or the beginnings of them')
    .requiredOption('-s, --signal <name>', 'such as HUP, USR1, STOP, CONT')
    .option('--all', 'to all processes of the job, not only its own')
  return command.action(async (ids: string[], { signal, all, host }: Options) =>
    eachJob(cli, host, ids, job => job.signal(signal.toUpperCase(), { to: all ? 'all' : 'leader' })),
  )
}
