import { refusal } from './http/refusal.ts'
import { ok } from './http/reply.ts'
import type { AgentStatus, Context, Handler } from './services.ts'

/** Whether jobs may be sent here. Needs no signature, so it says no more than why not. Throws AgentError not-ready. */
export const ready: Handler<Context> = (_request, { status }) => {
  const reasons = reasonsOf(status())
  if (reasons.length > 0) throw refusal('not-ready', { reasons })
  return ok('ready')
}

const reasonsOf = ({ stopping, draining, store, audit, guardian }: AgentStatus): string[] => [
  ...(stopping ? ['stopping'] : []),
  ...(draining ? ['draining'] : []),
  ...(store.state === 'ok' ? [] : [`store-${store.state}`]),
  ...(audit.state === 'ok' ? [] : [`audit-${audit.state}`]),
  ...(guardian.state === 'missing' ? ['guardian-missing'] : []),
]
