import { type Signal, useSignal } from '@preact/signals'
import { h } from 'preact'
import { useEffect, useLayoutEffect, useMemo, useRef } from 'preact/hooks'
import type { ListedJob } from '../../../lib/client/client.ts'
import { CancelDialog } from '../cancel-dialog.ts'
import { cancelWords } from '../cancel-words.ts'
import { html } from '../html.ts'
import { KeysDialog } from '../keys-dialog.ts'
import { mayAct } from '../may-act.ts'
import type { Session } from '../session.ts'
import { filterAddress, isFiltering, type JobFilter, parseFilter, withLabel } from './filter.ts'
import { FilterBar } from './filter-bar.ts'
import { FoundJobs } from './found-jobs.ts'
import type { RowActions } from './job-row.ts'
import type { JobsMemory } from './jobs-memory.ts'
import { useJobKeys } from './use-job-keys.ts'
import { useScrolled } from './use-scrolled.ts'
import { words } from './words.ts'

export interface JobsPageProps {
  session: Session
  memory: JobsMemory
  filter: URLSearchParams
}

/** All jobs that match a filter, the one in the address. */
export const JobsPage = ({ session, memory, filter: parameters }: JobsPageProps) => {
  const filter = parseFilter(parameters)
  const { list, before } = memory.listFor(filter)
  const isRead = list.isRead.value
  const shown = isRead || !before ? list : before
  const page = useRef<HTMLDivElement>(null)
  const dialog = useSignal<ListedJob | 'keys' | undefined>(undefined)
  const told = useSignal('')
  useScrolled(memory, filterAddress(filter))
  useLayoutEffect(() => memory.follow(list), [memory, list])
  useEffect(() => {
    const timer = setInterval(() => list.dropOld(), DROP_MS)
    return () => clearInterval(timer)
  }, [list])

  const latest = useRef(filter)
  latest.current = filter
  const actions = useMemo<RowActions>(
    () => ({
      selected: memory.selected,
      onLabel: label => show(withLabel(latest.current, label)),
      onCaller: caller => show({ ...latest.current, caller }),
      onCancel: job => {
        dialog.value = job
      },
      mayCancel: job => mayAct(session, job),
    }),
    [session, memory],
  )
  const onKeys = (): void => {
    dialog.value = 'keys'
  }
  const tell = (text: string): void => {
    told.value = text
  }
  useJobKeys({ page, shown, memory, actions, onKeys, onMayNot: () => tell(cancelWords.mayNot) })

  const fault = list.fault.value?.message ?? ''
  return html`<div class="jobs" ref=${page}>
    <div class="jobs-top"><h1>${words.jobs}</h1>
      <button type="button" class="plain small" aria-keyshortcuts="?" onClick=${onKeys}>${words.keys} <kbd>?</kbd></button></div>
    ${h(FilterBar, { filter, fault, onFilter: next => changeFilter(filter, next) })}
    <p class="fault" role="alert">${fault}</p>
    <p class="fault" role="status">${told.value}</p>
    ${h(FoundJobs, {
      list: shown,
      isBusy: !isRead,
      actions,
      onSelect: id => {
        memory.selected.value = id
      },
      mayRun: session.can('run'),
      isFiltered: isFiltering(filter),
    })}
    ${dialogOf(dialog, session, tell)}
  </div>`
}

/** How often those are let go that have become too old for the filter. */
const DROP_MS = 10_000

/** While one types on, one step back is before all of it. */
const changeFilter = (filter: JobFilter, next: JobFilter): void => {
  const isTypedOn = filter.q !== '' && next.q !== '' && filter.q !== next.q
  show(next, { replace: isTypedOn })
}

const show = (filter: JobFilter, { replace = false } = {}): void => {
  const address = filterAddress(filter)
  if (replace) location.replace(address)
  else location.hash = address
}

/** About the job that is to be canceled, or the keys. */
const dialogOf = (
  dialog: Signal<ListedJob | 'keys' | undefined>,
  session: Session,
  onLateFailure: (message: string) => void,
) => {
  const onClose = (): void => {
    dialog.value = undefined
  }
  if (dialog.value === undefined) return null
  return dialog.value === 'keys'
    ? h(KeysDialog, { onClose })
    : h(CancelDialog, { session, job: dialog.value, onClose, onLateFailure })
}
