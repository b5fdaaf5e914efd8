import { useSignal } from '@preact/signals'
import { h } from 'preact'
import { useEffect } from 'preact/hooks'
import type { JobHandle, JobProcess } from '../../../lib/client/client.ts'
import { html } from '../html.ts'
import { ProcessTable } from './process-table.ts'
import { words } from './use-words.ts'

/** What an ended job has left running, as it is when the page is opened. */
export const LeftoversPanel = ({ handle }: { handle: Pick<JobHandle, 'id' | 'processes'> }) => {
  const processes = useSignal<readonly JobProcess[] | undefined>(undefined)
  const fault = useSignal('')
  const { id } = handle
  useEffect(() => {
    const gone = new AbortController()
    void handle.processes({ signal: gone.signal }).then(listed => {
      if (gone.signal.aborted) return
      if (listed.ok) processes.value = listed.value
      else fault.value = listed.error.message
    })
    return () => gone.abort()
  }, [id])
  return html`<section aria-labelledby="leftovers-title">
    <h2 id="leftovers-title">${words.living}</h2>
    <p class="fault" role="alert">${fault.value}</p>
    ${processes.value ? h(ProcessTable, { processes: processes.value }) : null}
  </section>`
}
