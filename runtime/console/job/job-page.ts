import { useSignal } from '@preact/signals'
import { h } from 'preact'
import { useEffect, useMemo, useRef } from 'preact/hooks'
import type { ClientError, Job } from '../../../lib/client/client.ts'
import { cancelWords } from '../cancel-words.ts'
import { commandText } from '../command-text.ts'
import { html } from '../html.ts'
import { KeysDialog } from '../keys-dialog.ts'
import { mayAct } from '../may-act.ts'
import { createView, type View } from '../output/view.ts'
import { hostOf, type Session } from '../session.ts'
import { useShortcuts } from '../shortcuts.ts'
import { stateMark } from '../state-mark.ts'
import { titleOf } from '../title.ts'
import { visibleTextOf } from '../visible-text.ts'
import { words as sharedWords } from '../words.ts'
import type { OpenDialog } from './actions.ts'
import { FindJob } from './find-job.ts'
import { createFollowedJob } from './follow-job.ts'
import { JobContent } from './job-content.ts'
import { listAddress } from './list-address.ts'
import { words } from './words.ts'

export interface JobPageProps {
  session: Session
  id: string
}

/** One job: what it is, what it writes, and how it has ended; by its id, or what that begins with. */
export const JobPage = ({ session, id }: JobPageProps) =>
  id.length < ID_LENGTH ? h(FindJob, { session, prefix: id }) : h(FoundJob, { session, id })

const ID_LENGTH = 32

const FoundJob = ({ session, id }: JobPageProps) => {
  const followed = useMemo(() => createFollowedJob(session, id), [session, id])
  const mayRead = session.can('read')
  // A key that gets a right back that it had lost goes on.
  const isRefused = session.refusal.value !== undefined
  useEffect(() => (mayRead && !isRefused ? followed.follow() : undefined), [followed, mayRead, isRefused])
  const [job, output, error] = [followed.job.value, followed.output.value, followed.error.value]
  const status = error?.status
  useEffect(() => {
    if (status === 401 || status === 403) void session.refresh()
  }, [status, session])
  const view = useMemo(() => output && createView(output), [output])
  const dialog = useSignal<OpenDialog>(undefined)
  const refused = useSignal('')
  const page = useRef<HTMLDivElement>(null)
  const back = useMemo(listAddress, [])
  useJobTitle(job, hostOf(session))
  const open = (which: OpenDialog) => () => {
    dialog.value = which
  }
  const refuse = (): void => {
    refused.value = cancelWords.mayNot
  }
  const leave = (): void => {
    location.hash = back
  }
  useShortcuts({
    u: leave,
    Escape: leave,
    c: job?.state === 'running' ? (mayAct(session, job) ? open('cancel') : refuse) : undefined,
    '?': open('keys'),
    ...viewKeys(view, page),
  })

  const isLoading = mayRead && !error && !job
  return html`<div class="job-page" ref=${page}>
    <a class="back small" href=${back} aria-keyshortcuts="u">← ${words.back}</a>
    <h1>${words.title(id.slice(0, SHORT_ID))} ${job ? stateMark(job.state) : null}</h1>
    <p class="small quiet told" role="status">${job?.state === 'running' ? refused.value : ''}</p>
    ${mayRead ? null : html`<p class="fault">${words.noRight}</p>`}
    ${error ? faultOf(error, job) : null}
    ${isLoading ? html`<p class="quiet">${sharedWords.loading}</p>` : null}
    ${job && view ? h(JobContent, { session, followed, job, view, dialog }) : null}
    ${dialog.value === 'keys' ? h(KeysDialog, { onClose: open(undefined) }) : null}
  </div>`
}

const viewKeys = (view: View | undefined, page: { current: HTMLElement | null }) =>
  view && {
    f: () => view.follow(),
    '/': () => page.current?.querySelector<HTMLInputElement>('.output-search input')?.select(),
  }

const faultOf = (error: ClientError, job: Job | undefined) =>
  html`<p class="fault" role="alert">${job ? '' : `${words.notShown}: `}${error.message}</p>`

/** Of the tab: which of many one looks for. */
const useJobTitle = (job: Job | undefined, host: string): void => {
  const [state, command] = [job?.state, job && commandText(job)]
  useEffect(() => {
    if (state === undefined || command === undefined) return
    const before = document.title
    const shown = visibleTextOf(command.slice(0, TITLE_LENGTH))
    document.title = titleOf(`${sharedWords.states[state]}: ${shown}`, host)
    return () => {
      document.title = before
    }
  }, [state, command, host])
}

const SHORT_ID = 12
const TITLE_LENGTH = 60
