import { z } from 'zod'
import { commandSchema, scriptSchema } from '../jobs/job-schema.ts'
import { IDEMPOTENCY_KEY } from '../jobs/submit-job.ts'
import { events, job } from './answers.ts'
import type { Operation } from './operation.ts'

const submission = {
  tag: 'jobs',
  description:
    'Answers when the job has ended, however long it takes; as soon as it runs if it is `async`; or with its events ' +
    'as they happen if `Accept` has `text/event-stream`. A command that fails is no failure of the request.',
  headers: z.object({
    'Idempotency-Key': z
      .string()
      .regex(IDEMPOTENCY_KEY)
      .meta({
        description: 'The same key with the same body gives the first job back, and runs nothing.',
        examples: ['backup-2026-11-22'],
      })
      .optional(),
  }),
  answers: { 200: withEvents(job('The job.')) },
  refusals: [
    'output-limit-too-high',
    'limit-too-high',
    'limit-unsupported',
    'unknown-user',
    'unknown-group',
    'cannot-run-as',
    'variable-not-possible',
    'notify-not-allowed',
    'user-not-allowed',
    'users-not-readable',
    'out-of-bounds',
    'key-reused',
    'too-many-jobs',
    'too-many-jobs-of-key',
    'not-stored',
    'not-recorded',
    'draining',
    'stopping',
  ],
} as const satisfies Partial<Operation>

export const executeCommand: Operation = {
  ...submission,
  summary: 'Runs a command',
  body: {
    schema: commandSchema,
    examples: {
      command: { cmd: 'echo hello' },
      bounded: { cmd: 'df -h', timeout: '30s', async: true, labels: { env: 'prod' } },
      limited: {
        cmd: 'make -j2',
        user: 'deploy:www-data',
        limits: { memory: '512mb', cpus: 1.5, processes: 200, nice: 10 },
        noNewPrivileges: true,
      },
    },
  },
}

export const executeScript: Operation = {
  ...submission,
  summary: 'Runs a script',
  body: {
    schema: scriptSchema,
    examples: {
      script: {
        scriptName: 'x.sh',
        scriptType: 'shell',
        scriptContent: 'echo "$1|$2"; cat',
        params: 'a "b c"',
        stdin: 'in\n',
      },
    },
  },
}

function withEvents(answer: ReturnType<typeof job>) {
  return { ...answer, content: { ...answer.content, 'text/event-stream': events } }
}
