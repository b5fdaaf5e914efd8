import type { ListedJob } from '../../lib/client/client.ts'
import type { Session } from './session.ts'

/** Whether the job may be canceled, or signaled, by whoever has signed in: the own ones, or all with the right `admin`. */
export const mayAct = (
  { agent, can }: Pick<Session, 'agent' | 'can'>,
  job: Pick<ListedJob, 'caller'>,
): boolean => can('admin') || (can('run') && job.caller === agent.value.caller.id)
