import type { Log } from '../../lib/base/log.ts'
import type { Outgoing } from '../../lib/jobs/lifecycle.ts'
import { createAddressRules } from '../../lib/notify/address-rules.ts'
import { createDelivery, type Delivery } from '../../lib/notify/delivery.ts'
import { callbackPause, LEAST_TRIES, type Pause, TRIED_MS } from '../../lib/notify/pauses.ts'
import { createHostLookUps } from '../../lib/process/host-look-ups.ts'
import type { Processes } from '../../lib/process/types.ts'
import type { OutboxSink } from '../../lib/store/outbox-store.ts'
import type { Database } from '../../lib/store/sqlite/database.ts'
import { createOutboxStore } from '../../lib/store/sqlite/outbox.ts'
import type { Room } from '../../lib/store/sqlite/room.ts'
import packageJson from '../../package.json' with { type: 'json' }
import { orStartupError } from '../startup-error.ts'
import { versionOf, watchFiles } from '../watch-files.ts'
import { createCompose } from './compose.ts'
import { loadNotifySecrets, makeUpNotifySecret, notifySecretPath } from './secret.ts'
import type { NotifyConfig } from './settings.ts'

export interface NotifyOptions {
  config: NotifyConfig
  dataDirectory: string
  host: string
  /** Whether a fleet is told of every event; then somebody adds its sink to the delivery. */
  hasFleet: boolean
  database: Database
  room: Pick<Room, 'spend'>
  processes: Pick<Processes, 'startHelper' | 'leaveThreads'>
  /** The environment of programs. */
  env: Record<string, string>
  count(sink: OutboxSink, what: 'delivered' | 'failed' | 'given-up'): void
  log: Log
  /** Gets what must be closed. */
  opened: AsyncDisposableStack
  pause?: Pause
}

/**
 * What others are told of jobs: by callbacks, and in a fleet. Where there is neither, nothing is loaded, and nothing is
 * stored. Rejects with StartupError.
 */
export const openNotify = async (options: NotifyOptions) => {
  const { config, database, room, count, host, hasFleet, log, opened } = options
  const { origins } = config.allow
  const hasCallbacks = origins.length > 0
  const store = createOutboxStore(database, { room, onOverflow: createOverflow(count, log) })
  const sinks: OutboxSink[] = [
    ...(hasCallbacks ? ['callback' as const] : []),
    ...(hasFleet ? ['fleet' as const] : []),
  ]
  const left = store.countPending('callback')
  if (!hasCallbacks && left > 0)
    log.warn({ pending: left }, 'callbacks wait that cannot be delivered: AGENT_NOTIFY_ALLOW is not set')

  let delivery: Delivery | undefined
  const begin = async (): Promise<void> => {
    if (sinks.length === 0) return
    const callbacks = hasCallbacks ? await openCallbacks(options) : undefined
    delivery = opened.adopt(createDelivery({ store, count, log }), one => one.close())
    if (callbacks) delivery.add('callback', callbacks)
  }
  const outgoing: Outgoing | undefined =
    sinks.length > 0
      ? { of: createCompose({ host, hasCallbacks, everyJob: config.everyJob, hasFleet }), store }
      : undefined

  return {
    /** For the lifecycle; absent where nobody is told. */
    outgoing,
    /** For the metrics. */
    waiting: () => sinks.map(sink => ({ sink, pending: store.countPending(sink) })),
    /** Whether a job may have its callbacks go there. */
    mayNotify: (url: string): boolean => origins.includes(new URL(url).origin),
    /** What has become of a job's callbacks. */
    ofJob: (jobId: string) => store.ofJob(jobId, 'callback'),
    /** To be called once, when ends from before are recorded. */
    begin,
    /** For a fleet's sink; there once it has begun. */
    delivery: (): Delivery | undefined => delivery,
  }
}

export type Notifications = Awaited<ReturnType<typeof openNotify>>

/** Loads what sends callbacks. */
const openCallbacks = async ({
  config,
  dataDirectory,
  processes,
  env,
  log,
  opened,
  pause = callbackPause,
}: NotifyOptions) => {
  const { allow, secretFile } = config
  const files = { secretFile, dataDirectory }
  const path = notifySecretPath(files)
  const load = () => loadNotifySecrets(files)
  const what = secretFile === undefined ? path : `AGENT_NOTIFY_SECRET_FILE=${secretFile}`
  let secrets = await orStartupError(what, async () => {
    await makeUpNotifySecret(files)
    return load()
  })
  const watch = watchFiles({
    paths: [path],
    version: await versionOf([path]),
    load,
    onLoaded(loaded) {
      secrets = loaded
      log.info({ file: path }, 'the secret of callbacks has changed')
    },
    onFault: error =>
      log.error(
        { file: path, error },
        'THE CHANGED SECRET OF CALLBACKS CANNOT BE USED: the one from before stays',
      ),
  })
  opened.adopt(watch, one => one.close())
  const { CALLBACK_MS, createCallbackSender } = await import('./send-callback.ts')
  const hosts = opened.adopt(createHostLookUps({ processes, env, longestMs: CALLBACK_MS }), one =>
    one.close(),
  )
  const sender = createCallbackSender({
    origins: allow.origins,
    addresses: createAddressRules(allow.addresses),
    secrets: () => secrets,
    findHost: hosts.find,
    userAgent: `newdt-auto/${packageJson.version}`,
  })
  opened.adopt(sender, one => one.close())
  return {
    deliver: sender.deliver,
    atOnce: { all: 64, origin: 4 },
    pause,
    givesUp: { afterMs: TRIED_MS, leastTries: LEAST_TRIES },
  }
}

/** Tells the log of what is given up because too much waits: at most once a minute, with how much it was. */
const createOverflow = (count: NotifyOptions['count'], log: Log) => {
  const told = new Map<OutboxSink, { at: number; since: number }>()
  return (sink: OutboxSink): void => {
    count(sink, 'given-up')
    const { at, since } = told.get(sink) ?? { at: Number.NEGATIVE_INFINITY, since: 0 }
    const now = performance.now()
    if (now - at < TOLD_EVERY_MS) return void told.set(sink, { at, since: since + 1 })
    told.set(sink, { at: now, since: 0 })
    log.error({ sink, count: since + 1 }, 'GIVEN UP: too much waits to be delivered, the oldest is dropped')
  }
}

const TOLD_EVERY_MS = 60_000
