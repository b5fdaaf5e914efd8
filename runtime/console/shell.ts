import type { ReadonlySignal } from '@preact/signals'
import { h } from 'preact'
import { useEffect, useMemo } from 'preact/hooks'
import { every } from './every.ts'
import { html } from './html.ts'
import { createJobFeed, type JobFeed } from './jobs/job-feed.ts'
import { createJobsMemory, type JobsMemory } from './jobs/jobs-memory.ts'
import { JobsPage } from './jobs/jobs-page.ts'
import { SlotsBar } from './jobs/slots-bar.ts'
import { lazyPage } from './lazy-page.ts'
import { noticeOf } from './notice.ts'
import type { Route } from './route.ts'
import { createDrafts, type Drafts } from './run/drafts.ts'
import { hostOf, type Session } from './session.ts'
import { useTitle } from './title.ts'
import { focusContent, useContentFocus } from './use-content-focus.ts'
import { whileVisible } from './while-visible.ts'
import { words } from './words.ts'

export interface ShellProps {
  session: Session
  route: ReadonlySignal<Route>
  onSignOut(): void
}

/** What is around every page: where one is, what runs, whether the agent answers. */
export const Shell = ({ session, route, onSignOut }: ShellProps) => {
  const feed = useMemo(() => createJobFeed(session), [session])
  const drafts = useMemo(() => createDrafts(), [session])
  const jobsMemory = useMemo(() => createJobsMemory(session, feed), [session, feed])
  const { page } = route.value
  // The page of a job has a stream of its own, and a browser opens six connections to a host for all its windows.
  const isFeedNeeded = page !== 'job'
  useEffect(() => (isFeedNeeded ? feed.follow() : undefined), [feed, isFeedNeeded])
  useEffect(() => jobsMemory.close, [jobsMemory])
  useEffect(preloadPages, [])
  useEffect(() => whileVisible(signal => every(REFRESH_MS, session.refresh, signal), ignore), [session])
  const host = hostOf(session)
  useTitle(words[page === 'job' ? 'jobs' : page], host)
  useContentFocus(addressOf(route.value))
  const link = (to: 'jobs' | 'run' | 'agent') => html`<a href="#/${to}"
    aria-current=${page === to || (page === 'job' && to === 'jobs') ? 'page' : undefined}>${words[to]}</a>`
  return html`<div class="shell">
    <a class="skip" href="#content" onClick=${skipToContent}>${words.skip}</a>
    <header>
      <a class="mark" href="#/jobs">newdt<span class="quiet"> ${host}</span></a>
      <nav aria-label=${words.pages}>${link('jobs')}${session.can('run') ? link('run') : null}${link('agent')}</nav>
      ${h(SlotsBar, { feed, session })}
      <button class="plain" onClick=${onSignOut}>${words.signOut}</button>
    </header>
    <div class="notice" role="status">${noticeOf(session, feed, page)}</div>
    <main id="content" tabindex="-1">${pageOf(route.value, { session, feed, jobsMemory, drafts })}</main>
  </div>`
}

const REFRESH_MS = 5000
/** `every` never fails. */
const ignore = (): void => {}

/** The address is the console's own, and must not be `#content`. */
const skipToContent = (event: Event): void => {
  event.preventDefault()
  focusContent()
}

/** Of which page; a filter is none. */
const addressOf = (route: Route): string => (route.page === 'job' ? `job ${route.id}` : route.page)

/** What pages need, and what they keep while one looks at others. */
interface Kept {
  session: Session
  feed: JobFeed
  jobsMemory: JobsMemory
  drafts: Drafts
}

const pageOf = (route: Route, { session, feed, jobsMemory, drafts }: Kept) => {
  switch (route.page) {
    case 'jobs':
      return h(JobsPage, { session, memory: jobsMemory, filter: route.filter })
    case 'job':
      return h(jobPage.Page, { session, id: route.id, key: route.id })
    case 'run':
      return h(runPage.Page, { session, drafts, from: route.from, key: route.from })
    case 'agent':
      return h(agentPage.Page, { session, feed })
    case 'unknown':
      return html`<p>${words.notFound}</p>`
  }
}

const jobPage = lazyPage(async () => (await import('./job/job-page.ts')).JobPage)
const runPage = lazyPage(async () => (await import('./run/run-page.ts')).RunPage)
const agentPage = lazyPage(async () => (await import('./agent/agent-page.ts')).AgentPage)

/** So that none is waited for, once what one looks at is there. */
const preloadPages = (): void => {
  setTimeout(() => {
    for (const page of [jobPage, runPage, agentPage]) void page.preload()
  }, PRELOAD_MS)
}

const PRELOAD_MS = 1000
