import { z } from 'zod'
import { bodySchema as cancelBody } from '../jobs/cancel-job.ts'
import { bodySchema as signalBody } from '../jobs/signal-job.ts'
import { headerSchema as watchHeaders } from '../jobs/watch-jobs.ts'
import { changes, data, dataOfJob, job } from './answers.ts'
import { jobInListSchema, processSchema } from './job-answer.ts'
import { CANCELED_EXAMPLE, LISTED_EXAMPLE, RUNNING_EXAMPLE } from './job-examples.ts'
import type { Operation, Word } from './operation.ts'

const NOT_TO_BE_CONTROLLED: Word[] = ['not-your-job', 'unknown-job', 'job-ended']

export const countRunningJobs: Operation = {
  tag: 'jobs',
  summary: 'How many jobs run',
  answers: { 200: data('The number of running jobs.', z.int().min(0), 1) },
}

export const listJobs: Operation = {
  tag: 'jobs',
  summary: 'Jobs, newest first, without output',
  description: 'All that is asked for must be true of a job.',
  answers: { 200: data('A page of them.', z.array(jobInListSchema), [LISTED_EXAMPLE]) },
}

export const watchJobs: Operation = {
  tag: 'jobs',
  summary: 'All jobs as they change',
  description:
    'Begins with `reset`, unless an id is given after which all changes are known; what is listed later than that ' +
    'misses nothing. A job that changes several times before it is sent is sent once.',
  headers: watchHeaders,
  answers: {
    200: {
      description: 'Each job that changes, as a list has it.',
      content: { 'text/event-stream': changes },
    },
  },
}

export const getJob: Operation = {
  tag: 'jobs',
  summary: 'A job as it is now, or when it has ended',
  answers: { 200: job('The job.') },
  refusals: ['unknown-job'],
}

export const listProcesses: Operation = {
  tag: 'jobs',
  summary: 'The living processes of a job, or those that it has left',
  answers: {
    200: dataOfJob('The processes.', z.array(processSchema), [
      {
        pid: 13961,
        parent: 13790,
        state: 'S',
        command: 'sleep',
        cpu: { user: 0, system: 0 },
        residentBytes: 1724416,
      },
    ]),
  },
  refusals: ['unknown-job'],
}

export const cancelJob: Operation = {
  tag: 'jobs',
  summary: 'Stops a job',
  description: 'TERM, and KILL after the grace period; answers once nothing of the job lives any more.',
  body: { schema: cancelBody, isOptional: true, examples: { patient: { grace: '30s' } } },
  answers: { 200: job('The canceled job.', CANCELED_EXAMPLE) },
  refusals: NOT_TO_BE_CONTROLLED,
}

export const signalJob: Operation = {
  tag: 'jobs',
  summary: 'Sends a signal to a job',
  description: 'It changes no state by itself: what the job makes of it is told as it happens.',
  body: {
    schema: signalBody,
    examples: { reload: { signal: 'HUP' }, everybody: { signal: 'STOP', to: 'all' } },
  },
  answers: { 200: job('The job as it is now.', RUNNING_EXAMPLE) },
  refusals: [...NOT_TO_BE_CONTROLLED, 'signal-not-permitted'],
}
