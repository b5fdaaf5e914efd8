import { useSignal } from '@preact/signals'
import { h } from 'preact'
import { useEffect, useMemo } from 'preact/hooks'
import type { AgentHistory } from '../../../lib/client/client.ts'
import { Curve } from '../curve.ts'
import { every } from '../every.ts'
import { html } from '../html.ts'
import type { Session } from '../session.ts'
import { whileVisible } from '../while-visible.ts'
import { curvesOf } from './history-curves.ts'
import { words } from './words.ts'

/** How agent and host fared in the last hour, as curves. */
export const LastHour = ({ session }: { session: Session }) => {
  const history = useSignal<AgentHistory | undefined>(undefined)
  const fault = useSignal('')
  useEffect(() => {
    const read = async (): Promise<void> => {
      const asked = await session.client.history()
      fault.value = asked.ok ? '' : words.notRead(asked.error.message)
      if (asked.ok) history.value = asked.value
    }
    return whileVisible(
      signal => every(REFRESH_MS, read, signal),
      () => {},
    )
  }, [session])

  const { limit, host } = session.agent.value
  const cpus = host?.cpus
  const samples = history.value?.samples ?? []
  const curves = useMemo(
    () => (history.value && samples.length > 1 ? curvesOf(history.value, { limit, cpus }) : []),
    [history.value, limit, cpus],
  )
  return html`<section aria-labelledby="hour-title">
    <h2 id="hour-title">${words.lastHour}</h2>
    <p class="fault" role="alert">${fault.value}</p>
    ${history.value && samples.length < 2 ? html`<p class="quiet">${words.young}</p>` : null}
    <div class="agent-curves">${curves.map(curve => h(Curve, { ...curve, key: curve.title }))}</div>
  </section>`
}

/** As often as there is something new. */
const REFRESH_MS = 15_000
