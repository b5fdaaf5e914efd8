import { jetstream } from '@nats-io/jetstream'
import { Kvm } from '@nats-io/kv'
import type { NatsConnection } from '@nats-io/nats-core'
import { createBytesSigner, createSigner } from '../../client/credentials.ts'
import { ClientError, failed, type Result, success } from '../../client/result.ts'
import { pause } from '../../client/retry.ts'
import { parseLabel, queueSubjectOf } from '../names.ts'
import { canceledInQueue, newQueuedJob } from './changes.ts'
import { ENGINE_ANSWER_MS, RECORD_BUCKET } from './engine-names.ts'
import {
  contentOf,
  factsOfMessage,
  fingerprintOf,
  parseMessage,
  queueHeaders,
  queueTarget,
  queueUrl,
} from './message.ts'
import { isSignedBy } from './own-signature.ts'
import { areParameters, DEFAULT_PARAMETERS } from './parameters.ts'
import type { Queue, QueueCancelOptions, QueueOptions, QueueSubmitOptions } from './queue.ts'
import { hasNoJetStream, isFinalError, isNotThere, toClientError } from './queue-error.ts'
import { isFinal, isQueueId, LONGEST_WAIT_MS, newQueueId, type QueuedJob } from './queued-job.ts'
import { findLetter, listAll } from './read-queue.ts'
import { createRecords } from './records.ts'
import { submitMessage } from './submit-message.ts'
import { waitForEnd } from './wait-for-end.ts'

/** Sends nothing by itself. Throws TypeError for credentials that sign nothing. */
export const createQueue = (
  connection: NatsConnection,
  { credentials, patienceMs = 60_000 }: QueueOptions,
): Queue => {
  if ('token' in credentials || ('secret' in credentials && credentials.signature === 'contract'))
    throw new TypeError(
      'what waits in a queue is signed by RFC 9421: a token or the signature of the contract will not do',
    )
  const sign = createSigner(credentials)
  const signBytes = createBytesSigner(credentials)
  const stream = jetstream(connection)
  const opened = once(() => new Kvm(stream).open(RECORD_BUCKET, { allow_direct: false }))
  const records = createRecords({
    get: async (...args) => (await opened()).get(...args),
    put: async (...args) => (await opened()).put(...args),
  })

  const submitBody = async (
    kind: 'cmd' | 'script',
    body: Uint8Array<ArrayBuffer>,
    options: QueueSubmitOptions,
  ): Promise<Result<QueuedJob>> => {
    const { label, priority = 'normal', waitMs = DEFAULT_WAIT_MS, id = newQueueId() } = options
    const {
      once = DEFAULT_PARAMETERS.once,
      tries = DEFAULT_PARAMETERS.tries,
      limit = DEFAULT_PARAMETERS.limit,
    } = options
    const parameters = { once, tries, limit }
    if (!isQueueId(id))
      return refused('the id of a queued job has 8 to 64 of the characters A-Z, a-z, 0-9, _ and -')
    if (!areParameters(parameters)) return refused('tries is from 1 to 20, limit from 1 to 100')
    if (!(waitMs >= 1000 && waitMs <= LONGEST_WAIT_MS))
      return refused('what waits in a queue may wait from 1 s to 7 days')
    const target = queueTarget(kind, parameters)
    const own = { 'Idempotency-Key': id }
    // Rounded down: seven days must not become more.
    const expires = Math.floor((Date.now() + waitMs) / 1000)
    const proof = await sign({ method: 'POST', url: queueUrl(label, target), body, headers: own, expires })
    const headers = queueHeaders(
      id,
      target,
      Object.entries({ 'Content-Type': 'application/json', ...own, ...proof }),
    )
    const most = connection.info?.max_payload ?? Number.POSITIVE_INFINITY
    if (body.length + HEADER_BYTES > most)
      return failed(new ClientError('body-too-large', `the engine takes messages of ${most} bytes`))
    const message = parseMessage(headers, body)!
    const [fingerprint, content] = await Promise.all([fingerprintOf(message), contentOf(message)])
    const facts = factsOfMessage(message, { label, priority }, { fingerprint, content, nowMs: Date.now() })
    const publish = (name: string) =>
      stream
        .publish(queueSubjectOf(label, priority), body, { headers, msgID: name, timeout: ENGINE_ANSWER_MS })
        .catch(error => explain(error, id))
    return submitMessage(newQueuedJob(facts), { publish, records, patiently })
  }

  /** That nobody takes what is published may change soon, but not where there is no JetStream: a look at a record tells. */
  const explain = async (error: unknown, id: string): Promise<never> => {
    if (!hasNoJetStream(error)) throw error
    await records.get(id).catch(fault => {
      if (!isNotThere(fault)) throw fault
    })
    throw new Error('nobody has made the queue there yet')
  }

  /** Tries again what fails because the engine is away. */
  const patiently = async <T>(attempt: () => Promise<T>): Promise<Result<T>> => {
    const deadline = Date.now() + patienceMs
    for (;;) {
      try {
        return success(await attempt())
      } catch (error) {
        if (isFinalError(error) || Date.now() > deadline || connection.isClosed())
          return failed(toClientError(error))
        await pause(PAUSE_MS, undefined)
      }
    }
  }

  const find = async (id: string): Promise<Result<QueuedJob>> => {
    if (!isQueueId(id)) return unknown(id)
    const found = await patiently(() => records.get(id))
    if (!found.ok) return found
    return found.value.job ? success(found.value.job) : unknown(id)
  }

  const wait: Queue['wait'] = (id, { signal } = {}) =>
    isQueueId(id)
      ? waitForEnd(id, { records, opened, signal, isClosed: () => connection.isClosed() })
      : Promise.resolve(unknown(id))

  const cancelRun = async (
    job: QueuedJob,
    { client, grace }: QueueCancelOptions,
  ): Promise<Result<QueuedJob> | undefined> => {
    const run = job.runs.at(-1)
    if (!run?.job) return undefined
    const canceled = await client(run.host).job(run.job).cancel({ grace })
    if (!canceled.ok) return canceled
    // Its end is on its way to the bucket.
    return wait(job.id, { signal: AbortSignal.timeout(END_MS) })
  }

  return {
    submit: (request, options) =>
      submitBody(
        'cmd' in request ? 'cmd' : 'script',
        new TextEncoder().encode(JSON.stringify({ ...request, async: true })),
        options,
      ),

    list: () => patiently(async () => listAll(await opened())),

    show: find,

    wait,

    async cancel(id, options) {
      if (!isQueueId(id)) return unknown(id)
      const deadline = Date.now() + START_MS
      for (;;) {
        const at = new Date().toISOString()
        const changed = await patiently(() => records.change(id, job => canceledInQueue(job, at)))
        if (!changed.ok) return changed
        if (!changed.value) return unknown(id)
        const { job, isChanged } = changed.value
        if (isChanged) return success(job)
        if (isFinal(job)) return failed(new ClientError('job-ended', 'the job has ended', { status: 409 }))
        const canceled = await cancelRun(job, options)
        if (canceled) return canceled
        if (Date.now() > deadline)
          return failed(
            new ClientError(
              'unreachable',
              `${job.runs.at(-1)?.host} has taken the job and does not say what it is there`,
            ),
          )
        await pause(LOOK_MS, undefined)
      }
    },

    async retry(id, options = {}) {
      const found = await find(id)
      if (!found.ok) return found
      const { state, label: text } = found.value
      const label = parseLabel(text)
      if (state !== 'dead' || !label)
        return failed(
          new ClientError('not-dead', `the job is ${state}, and only one that is dead is retried`),
        )
      const letter = await patiently(() => findLetter(stream, label, id))
      if (!letter.ok) return letter
      if (!letter.value)
        return failed(new ClientError('no-dead-letter', 'what the job was is not there any more'))
      // Anybody may have published it: what is signed here once more is only what this key has signed before.
      if (letter.value.id !== id || !(await isSignedBy(signBytes, letter.value, label)))
        return failed(
          new ClientError('not-signed', 'what the job was is not signed by this key: submit it again'),
        )
      const { target, body, parameters } = letter.value
      const kind = target.includes('/execute/script') ? 'script' : 'cmd'
      return submitBody(kind, new Uint8Array(body), {
        priority: found.value.priority,
        ...options,
        ...parameters,
        label,
      })
    },
  }
}

/** One that has failed is tried again by the next who asks. */
const once = <T>(make: () => Promise<T>): (() => Promise<T>) => {
  let made: Promise<T> | undefined
  return () => {
    made ??= make().catch(error => {
      made = undefined
      throw error
    })
    return made
  }
}

const refused = (message: string) => failed(new ClientError('invalid-request', message))

const unknown = (id: string) =>
  failed(
    new ClientError('unknown-job', `there is no queued job ${JSON.stringify(id.slice(0, 64))}`, {
      status: 404,
    }),
  )

const DEFAULT_WAIT_MS = 24 * 3600_000
/** Room for the headers within a message. */
const HEADER_BYTES = 4096
const PAUSE_MS = 500
/** How long an agent may need to make a job of what it has taken. */
const START_MS = 15_000
const LOOK_MS = 200
/** How long the end of a job that was canceled may take to be recorded. */
const END_MS = 60_000
