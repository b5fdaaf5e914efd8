import { z } from 'zod'
import { JOB_STATES, NOTIFY_ON } from '../../lib/jobs/job.ts'
import type { JobInList } from '../jobs/job-in-list.ts'
import type { JobJson } from '../jobs/job-json.ts'
import type { ProcessJson } from '../jobs/list-processes.ts'
import { describes } from './same-shape.ts'

const NO_TIME = '`0001-01-01T00:00:00Z` if it has not come.'

const count = z.int().min(0)
const amount = count.nullable()

/** In bytes. */
export const limits = z.object({
  memory: count.optional(),
  cpus: z.number().optional(),
  processes: count.optional(),
  ioWeight: count.optional(),
  openFiles: count.optional(),
  fileSize: count.optional(),
  nice: count.optional(),
})

const time = z.iso.datetime({ offset: true })
const cpu = z
  .object({ user: z.number().min(0), system: z.number().min(0) })
  .meta({ description: 'Seconds of CPU time.' })

export const jobId = z
  .string()
  .regex(/^[0-9a-f]{32}$/)
  .meta({ description: 'Ids sort by time.', examples: ['01a202f8d35773718c4e1646bc5c61d9'] })

const fields = {
  id: jobId,
  cmd: z.string().meta({ description: 'As it was sent, or empty.' }),
  params: z.string(),
  scriptName: z.string(),
  scriptContent: z.string().meta({ description: 'Always empty.' }),
  scriptType: z.enum(['shell', 'python', '']),
  scriptPath: z.string().meta({ description: 'Where the script was written.' }),
  async: z.boolean(),
  pid: count.meta({ description: "Of the job's own process; 0 if there was none." }),
  state: z.enum(JOB_STATES).meta({ description: 'Judge by this, not by `exitCode` alone.' }),
  stdout: z.string().meta({ description: 'What is kept of it, decoded.' }),
  stderr: z.string(),
  exitCode: z.int().meta({ description: 'Also 0 for a job that was killed.' }),
  execCmd: z.string().meta({ description: 'What is run.' }),
  error: z.string().meta({ description: 'Such as `exit status 3`; empty if all went well.' }),
  createTime: time,
  startTime: time.meta({ description: NO_TIME }),
  finishTime: time.meta({ description: NO_TIME }),
  reason: z
    .enum([
      'exited',
      'signaled',
      'timeout',
      'canceled',
      'agent-stopped',
      'output-limit',
      'out-of-memory',
      'start-failed',
      'agent-lost',
      'rejected',
      '',
    ])
    .meta({ description: 'Why it has ended; empty while it runs.' }),
  signal: z.string().meta({ description: 'What ended it, such as `SIGKILL`, or empty.' }),
  stdoutBytes: count.meta({ description: 'Written, kept or not.' }),
  stderrBytes: count,
  droppedBytes: count.meta({ description: 'How many of both are not kept, or not in this answer.' }),
  encoding: z.string().meta({ description: 'Of its output, by its standard name.' }),
  cpu,
  leftovers: count.meta({ description: 'How many processes lived on when it had ended by itself.' }),
  livingLeftovers: count.meta({ description: 'How many of them live now; always 0 in a list.' }),
  survivors: z
    .array(z.object({ pid: count, command: z.string() }))
    .meta({ description: 'What lived on although it was killed.' }),
  caller: z.string().meta({ description: 'The id of the key that has submitted it.' }),
  client: z.string().meta({ description: 'The IP address that it came from.' }),
  labels: z.record(z.string(), z.string()),
  user: z.string().meta({ description: "Whom it runs as; empty for the agent's own user." }),
  limits: limits.meta({
    description: 'What it runs within: what was asked for, and what the agent sets. In bytes.',
  }),
  usage: z
    .object({
      cpu: z.number().min(0).nullable().meta({ description: 'Seconds.' }),
      memory: amount.meta({ description: 'Bytes that it uses now; null when it has ended.' }),
      peakMemory: amount.meta({ description: 'Bytes.' }),
      peakProcesses: amount.meta({ description: 'With threads.' }),
      readBytes: amount.meta({ description: 'From disks.' }),
      writtenBytes: amount.meta({ description: 'To disks.' }),
    })
    .meta({
      description:
        'What it has used; null is what is not known. In a list, and in answers but to GET /api/jobs/{id}, all of it is null while it runs.',
    }),
  notify: z
    .object({
      url: z.string().meta({ description: 'Without its query.' }),
      on: z.array(z.enum(NOTIFY_ON)),
    })
    .nullable()
    .meta({ description: 'Who is told what happens to it, as it was asked for.' }),
  queue: z
    .object({
      id: z.string().meta({ description: 'Under which it waited there.' }),
      try: z.int().min(1).meta({ description: 'Which run of it this is.' }),
    })
    .nullable()
    .meta({ description: "Of a job that a fleet's queue has given." }),
  notifications: z
    .array(
      z.object({
        event: z.enum(['created', 'started', 'ended', 'rejected']),
        url: z.string().meta({
          description: "Without its query; of one that the agent's settings ask for its origin alone.",
        }),
        state: z.enum(['pending', 'delivered', 'given-up']),
        tries: count,
        lastTryTime: time.nullable(),
        nextTryTime: time.nullable(),
        error: z.string().meta({ description: 'Of the last try that has failed, or empty.' }),
      }),
    )
    .exactOptional()
    .meta({
      description:
        'What has become of its callbacks; absent where there are none, and but in GET /api/jobs/{id}.',
    }),
}

export const jobSchema = describes<JobJson>()(z.object(fields).meta({ id: 'Job', description: 'A job.' }))

export const jobInListSchema = describes<JobInList>()(
  z
    .object({
      ...fields,
      cmdTruncated: z.boolean(),
      paramsTruncated: z.boolean(),
      execCmdTruncated: z.boolean(),
    })
    .meta({
      id: 'ListedJob',
      description: 'A job in a list: without output, `cmd`, `params` and `execCmd` cut to 1 KB.',
    }),
)

export const processSchema = describes<ProcessJson>()(
  z
    .object({
      pid: count,
      parent: count,
      state: z.string().meta({ description: 'As in ps: R, S, D, T …' }),
      command: z.string().meta({ description: 'The short name, not the command line.' }),
      cpu,
      residentBytes: count,
    })
    .meta({ id: 'Process', description: 'A living process.' }),
)
