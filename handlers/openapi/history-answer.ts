import { z } from 'zod'
import type { HistoryJson } from '../agent/get-history.ts'
import { describes } from './same-shape.ts'

const count = z.int().min(0)

export const historySchema = describes<HistoryJson>()(
  z
    .object({
      everyMs: count.meta({ description: 'The time between two samples, in milliseconds.' }),
      samples: z
        .array(
          z.object({
            time: z.string(),
            running: count.meta({ description: 'Jobs, at that time.' }),
            started: count.meta({ description: 'Since the sample before, as the next three.' }),
            ended: count.meta({ description: 'In whatever state.' }),
            failed: count.meta({ description: 'Of those that have ended.' }),
            rejected: count,
            cpu: z.number().min(0).meta({
              description:
                "The agent's own processor time since the sample before, as a share of one processor.",
            }),
            residentBytes: count.meta({ description: "The agent's own memory." }),
            load: z.number().min(0).meta({ description: 'Of the host: the average of the last minute.' }),
          }),
        )
        .min(1)
        .meta({ description: 'The oldest first.' }),
    })
    .meta({ id: 'History', description: 'How the agent and its host fared in the last hour.' }),
)
