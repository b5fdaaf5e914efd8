import type { ListedJob } from '../../lib/client/client.ts'

/** What a job runs; of a script the name as it was sent, not where the agent has put it. */
export const commandText = ({
  execCmd,
  scriptName,
  params,
}: Pick<ListedJob, 'execCmd' | 'scriptName' | 'params'>): string =>
  scriptName === '' ? execCmd : `${scriptName} ${params}`.trimEnd()
