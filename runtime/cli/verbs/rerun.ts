import type { Job } from '../../../lib/client/client.ts'
import { askAgent, findJob, unwrap } from '../ask.ts'
import { tell } from '../cli.ts'
import { Failure } from '../failure.ts'
import { printable } from '../format.ts'
import { runJob } from '../run-job.ts'
import { addSubmissionOptions, type SubmissionOptions, submissionOf } from '../submission.ts'
import { addHostOption, type Verb, verb } from '../verb.ts'

/** The same command once more. Agents keep neither directory, environment, input nor timeout of a job. */
export const rerun: Verb = cli => {
  const command = verb('rerun', 'run the command of a job again, with its labels', [
    'newdt rerun 01a202f8d357',
    'newdt rerun 01a202f8d357 --timeout 30s -w /srv/app',
  ])
  command.argument('<id>', 'of the job, or the beginning of it').addHelpText('after', WORDS)
  addHostOption(addSubmissionOptions(command, cli))
  return command.action(async (id: string, options: SubmissionOptions & { host?: string }) => {
    const agent = await askAgent(cli, options.host)
    const job = await findJob(agent, id)
    const old = unwrap(await job.get({ output: false }))
    const request = { ...commandOf(old), ...(await submissionOf(cli, options)) }
    if (cli.err.isTerminal) await tell(cli, `running again: ${printable(old.execCmd)}`)
    cli.exitCode = await runJob(cli, agent, request, options)
  })
}

const commandOf = ({ cmd, params, labels, id, scriptName }: Job) => {
  if (cmd === '')
    throw new Failure(`job ${id} was the script ${scriptName}, and scripts are not kept: use newdt script`)
  return { cmd, params, labels }
}

const WORDS = `Neither the directory, the environment, the input, the timeout nor the limits of a job are kept: give them again
where it needs them. A script is not kept either.
`
