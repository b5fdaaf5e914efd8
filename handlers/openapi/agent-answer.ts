import { z } from 'zod'
import { LIMIT_NAMES } from '../../lib/process/types.ts'
import { RIGHTS } from '../../lib/security/caller.ts'
import type { AgentJson } from '../agent/get-agent.ts'
import { limits } from './job-answer.ts'
import { describes } from './same-shape.ts'

const count = z.int().min(0)

const bounds = z.object({
  commands: z
    .array(z.string())
    .optional()
    .meta({ description: 'Whole command lines, and scripts as `sha256:<hex>:<type>`.' }),
  cwd: z.array(z.string()).optional().meta({ description: 'Directories to run in, or below.' }),
  timeoutMs: count
    .optional()
    .meta({ description: 'The longest timeout, and that of a job that asks for none.' }),
  running: count.optional().meta({ description: 'How many of its jobs may run at a time.' }),
})

const restarts = count.meta({ description: 'How often it had to be replaced.' })

const host = z
  .object({
    name: z.string(),
    system: z.string().meta({ description: 'As `uname -s` prints it; the next two as `-r` and `-m` do.' }),
    release: z.string(),
    machine: z.string(),
    cpus: count.meta({ description: 'How many the agent may use.' }),
    memoryBytes: count,
  })
  .meta({ description: 'The machine that the agent runs on.' })

const disk = z
  .object({ freeBytes: count.meta({ description: "For the agent's account." }), totalBytes: count })
  .nullable()
  .meta({ description: 'The file system of the data directory; null when it cannot be looked at.' })

const fleet = z
  .object({
    name: z.string(),
    labels: z.record(z.string(), z.string()),
    state: z
      .enum(['connected', 'disconnected'])
      .meta({ description: 'Whether there is a connection to the engine.' }),
    queue: z.enum(['on', 'off']).meta({ description: 'Whether it takes jobs from the queue.' }),
  })
  .nullable()
  .meta({ description: 'The fleet that the agent is in; null when it is in none.' })

export const agentSchema = describes<AgentJson>()(
  z
    .object({
      version: z.string(),
      startTime: z
        .string()
        .meta({ description: 'When it was started; another agent at the same address has another.' }),
      running: count.meta({ description: 'Jobs.' }),
      limit: count.meta({ description: 'How many jobs may run at a time.' }),
      stopping: z.boolean(),
      draining: z.boolean().meta({ description: 'It takes no new jobs, and ends with the last that runs.' }),
      guardian: z
        .union([
          z.object({ state: z.enum(['idle', 'starting', 'running']), restarts }),
          z.object({ state: z.enum(['missing', 'unsupported']), error: z.string(), restarts }),
        ])
        .meta({ description: 'Whether jobs would end with the agent, should it be killed.' }),
      guesses: z
        .object({ wrong: count, unseen: count })
        .meta({ description: 'Wrong credentials since the start, and those that were not looked at.' }),
      audit: z.object({ state: z.enum(['ok', 'failing']) }),
      store: z.object({
        state: z.enum(['ok', 'full', 'gone']),
        bytes: count.nullable().meta({ description: 'Of the database; null when it cannot be looked at.' }),
      }),
      fleet,
      host,
      disk,
      limits: z
        .record(
          z.enum(LIMIT_NAMES),
          z.union([
            z.object({
              by: z.enum(['cgroup-v1', 'cgroup-v2', 'prlimit', 'nice']),
              most: count.meta({ description: 'The most that it can be here.' }).optional(),
            }),
            z.object({ missing: z.string() }),
          ]),
        )
        .meta({ description: 'What keeps each limit of a job on this machine, or what is missing for it.' }),
      users: z
        .union([z.object({ possible: z.literal(true) }), z.object({ missing: z.string() })])
        .meta({ description: 'Whether jobs can run as other users, or what is missing for it.' }),
      defaultLimits: limits.meta({ description: 'Of jobs that ask for none.' }),
      maxLimits: limits.meta({ description: 'The most that a job may ask for.' }),
      caller: z
        .object({
          id: z.string(),
          rights: z.array(z.enum(RIGHTS)),
          users: z.array(z.string()).meta({ description: 'Whom its jobs may run as.' }),
          bounds: bounds.meta({ description: 'What its submissions are held to; absent: not bounded.' }),
        })
        .meta({ description: 'As whom the agent knows who asks.' }),
    })
    .meta({ id: 'Agent', description: 'What the agent tells of itself.' }),
)
