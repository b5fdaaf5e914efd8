import { useSignal } from '@preact/signals'
import { useEffect, useMemo } from 'preact/hooks'
import type { ClientError } from '../../../lib/client/client.ts'
import { html } from '../html.ts'
import { jobAddress } from '../route.ts'
import type { Session } from '../session.ts'
import { useShortcuts } from '../shortcuts.ts'
import { words as sharedWords } from '../words.ts'
import { listAddress } from './list-address.ts'
import { words } from './words.ts'

export interface FindJobProps {
  session: Pick<Session, 'client'>
  /** What its id begins with. */
  prefix: string
}

/** Goes on to the only job whose id begins so; else says why there is none. */
export const FindJob = ({ session, prefix }: FindJobProps) => {
  const fault = useSignal('')
  const back = useMemo(listAddress, [])
  useEffect(() => {
    const gone = new AbortController()
    void session.client.find(prefix, { signal: gone.signal }).then(found => {
      if (gone.signal.aborted) return
      if (found.ok) location.replace(jobAddress(found.value.id))
      else fault.value = faultText(found.error, prefix)
    })
    return () => gone.abort()
  }, [session, prefix])
  const leave = (): void => {
    location.hash = back
  }
  useShortcuts({ u: leave, Escape: leave })
  return html`<div class="job-page">
    <a class="back small" href=${back} aria-keyshortcuts="u">← ${words.back}</a>
    <h1>${words.title(prefix)}</h1>
    <p class="fault" role="alert">${fault.value}</p>
    ${fault.value === '' ? html`<p class="quiet">${sharedWords.loading}</p>` : null}
  </div>`
}

/** Two of them are the client's, which speaks English only. */
const faultText = ({ word, message }: ClientError, prefix: string): string => {
  if (word === 'unknown-job') return words.noneBegins(prefix)
  return word === 'ambiguous-id' ? words.severalBegin(prefix) : message
}
