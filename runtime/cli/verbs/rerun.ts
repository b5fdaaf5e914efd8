import type { CommandRequest, Job } from '../../../lib/client/client.ts'
import { unwrap } from '../ask.ts'
import { tell } from '../cli.ts'
import { Failure } from '../failure.ts'
import { findJob } from '../find-jobs.ts'
import { printable } from '../format.ts'
import { runJob } from '../run-job.ts'
import { addSubmissionOptions, type SubmissionOptions, submissionOf } from '../submission.ts'
import { addHostOption, type Verb, verb } from '../verb.ts'

/** The same command once more, as the same user and within the same limits. Agents keep neither directory, environment, input nor timeout of a job. */
export const rerun: Verb = cli => {
  const command = verb('rerun', 'run the command of a job again, with its labels, user and limits', [
    'newdt rerun 01a202f8d357',
    'newdt rerun 01a202f8d357 --timeout 30s -w /srv/app',
  ])
  command.argument('<id>', 'of the job, or the beginning of it').addHelpText('after', WORDS)
  addHostOption(addSubmissionOptions(command, cli))
  return command.action(async (id: string, options: SubmissionOptions & { host?: string }) => {
    const { agent, job } = await findJob(cli, options.host, id)
    const old = unwrap(await job.get({ output: false }))
    const { limits, ...asked } = await submissionOf(cli, options)
    const request = { ...commandOf(old), ...asked, ...limitsOf(old, limits) }
    if (cli.err.isTerminal) await tell(cli, `running again: ${printable(old.execCmd)}`)
    cli.exitCode = await runJob(cli, agent, request, options)
  })
}

const commandOf = ({ cmd, params, labels, user, id, scriptName }: Job) => {
  if (cmd === '')
    throw new Failure(`job ${id} was the script ${scriptName}, and scripts are not kept: use newdt script`)
  // It would else be the agent's own user, who may be root.
  return { cmd, params, labels, ...(user && { user }) }
}

/** What it had, less what is asked for anew. */
const limitsOf = ({ limits: old }: Job, asked: CommandRequest['limits']) => {
  const limits = { ...old, ...asked }
  return Object.keys(limits).length > 0 ? { limits } : {}
}

const WORDS = `Neither the directory, the environment, the input, the timeout nor the output limit of a job is kept, nor that it had no
new privileges: give them again where it needs them. A script is not kept either.
`
