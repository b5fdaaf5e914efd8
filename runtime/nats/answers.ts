import type { NatsConnection } from '@nats-io/nats-core'
import { createFairShare } from '../../lib/base/fair-share.ts'
import { ALIVE_MS, messageHeaders, SILENCE_MS, WIRE } from '../../lib/fleet/wire.ts'
import { type Answer, type AnswerTimes, createAnswer } from './answer.ts'
import type { Inbox } from './inbox.ts'
import { createOutflow } from './outflow.ts'

export interface AnswersOptions {
  connection: NatsConnection
  inbox: Inbox
  host: string
  times?: Partial<AnswerTimes>
  /** How many may be under way. */
  most?: number
}

/** All answers that are under way. Callers share how many there may be. */
export const createAnswers = ({
  connection,
  inbox,
  host,
  times = {},
  most = MOST_ANSWERS,
}: AnswersOptions) => {
  const open = new Set<Answer>()
  const share = createFairShare(most)
  const outflow = createOutflow(connection)
  const settled = new Set<() => void>()
  const all: AnswerTimes = { aliveMs: ALIVE_MS, silenceMs: SILENCE_MS, stalledMs: STALLED_MS, ...times }
  const now = () => performance.now()
  const looks = setInterval(
    () => {
      for (const answer of open) answer.look()
    },
    Math.min(1000, all.aliveMs),
  )
  looks.unref()

  const broken: { reply: string; id: string }[] = []

  const tell = (reply: string, word: string, fields: Record<string, string> = {}): void => {
    try {
      const own = { [WIRE.host]: host, [WIRE.kind]: 'error', [WIRE.error]: word }
      const headers = messageHeaders({ ...own, ...fields })
      connection.publish(reply, undefined, { headers })
    } catch {
      // Nobody can be told.
    }
  }

  return {
    /** Undefined when there are too many; the reader has been told then. */
    begin(reply: string) {
      if (open.size >= most) return void tell(reply, BUSY)
      let holder: string | undefined
      const own = { take: (bytes: number) => outflow.take(bytes, holder) }
      const answer = createAnswer({ connection, inbox, outflow: own, host, reply, times: all, now })
      open.add(answer)
      return {
        answer,
        /** False when the caller has so many already that this one is given up; the reader has been told then. */
        belongsTo(caller: string): boolean {
          if (holder !== undefined) return true
          if (!share.hasRoom(caller, 1)) {
            answer.publish('error', { [WIRE.error]: BUSY })
            answer.giveUp()
            return false
          }
          holder = caller
          share.take(holder, 1)
          return true
        },
        end(): void {
          answer.close()
          open.delete(answer)
          if (holder !== undefined) share.giveBack(holder, 1)
          if (open.size === 0) for (const resolve of settled) resolve()
        },
      }
    },

    size: () => open.size,

    /** Resolves when none is under way. */
    async over(): Promise<void> {
      if (open.size === 0) return
      const { promise, resolve } = Promise.withResolvers<void>()
      settled.add(resolve)
      await promise
      settled.delete(resolve)
    },

    /** What has begun to come cannot go on where pieces may be lost. */
    breakOff(): void {
      for (const answer of open) {
        if (!answer.isUnderWay()) continue
        broken.push({ reply: answer.reply, id: answer.id })
        answer.giveUp()
      }
    },

    /** Has whoever reads one of them ask again at once. */
    tellBroken(): void {
      for (const { reply, id } of broken.splice(0)) tell(reply, 'broken', { [WIRE.answer]: id })
    },

    close(): void {
      clearInterval(looks)
      for (const answer of open) {
        answer.publish('error', { [WIRE.error]: 'stopped' })
        answer.giveUp()
      }
    },
  }
}

export type Answers = ReturnType<typeof createAnswers>

const BUSY = 'busy'
const MOST_ANSWERS = 1000
/** As long as the HTTP server waits for who takes no byte of its answer. */
const STALLED_MS = 300_000
