import type { Msg, NatsConnection } from '@nats-io/nats-core'
import { newInbox } from '../../lib/fleet/inbox.ts'

/** What comes on one subject of an inbox; `rest` is what follows the token. */
export type InboxListener = (message: Msg, rest: string) => void

/** Subjects on which others reach the agent while something of theirs is under way: one subscription for all of them. */
export const createInbox = (
  connection: NatsConnection,
  prefix: string,
  /** Called when the engine does not let this user receive there. */
  onRefused: () => void = () => {},
) => {
  const base = newInbox(prefix)
  const listeners = new Map<string, InboxListener>()
  const subscribe = () =>
    connection.subscribe(`${base}.>`, {
      callback(error, message) {
        if (error) return onRefused()
        const [token = '', rest = ''] = message.subject.slice(base.length + 1).split('.', 2)
        listeners.get(token)?.(message, rest)
      },
    })
  let subscription = subscribe()
  return {
    subjectOf: (token: string, rest: string | number): string => `${base}.${token}.${rest}`,
    listen: (token: string, listener: InboxListener): void => void listeners.set(token, listener),
    forget: (token: string): void => void listeners.delete(token),
    /** Tries again what the engine has refused. */
    update(): void {
      if (subscription.isClosed() && !connection.isClosed()) subscription = subscribe()
    },
    close: (): void => subscription.unsubscribe(),
  }
}

export type Inbox = ReturnType<typeof createInbox>
