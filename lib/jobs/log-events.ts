import type { Log } from '../base/log.ts'
import type { JobEventListener } from './events.ts'
import type { Job } from './job.ts'

/** Writes a line of the log for each start, end and rejection of a job; never its command or its environment. */
export const logJobEvents =
  (log: Log): JobEventListener =>
  event => {
    if (event.kind === 'started') {
      const { id, pid, user } = event.job
      log.info({ jobId: id, jobPid: pid, ...whoOf(event.job), ...(user !== '' && { user }) }, 'job started')
    } else if (event.kind === 'rejected') {
      log.warn({ jobId: event.job.id, running: event.running, ...whoOf(event.job) }, 'job rejected')
    } else if (event.kind === 'ended') {
      const { id, state, exitCode, signal, reason, startTime, finishTime } = event.job
      if (reason === 'agent-lost') {
        return log.warn({ jobId: id }, 'the agent was lost while this job was running')
      }
      const durationMs = Math.round((finishTime - startTime) / 1000)
      log.info({ jobId: id, state, exitCode, signal, reason, durationMs }, 'job ended')
    }
  }

const whoOf = ({ caller, client }: Job) => ({ caller, client })
