import { problemsOf } from './agent/problems.ts'
import { html } from './html.ts'
import type { JobFeed } from './jobs/job-feed.ts'
import type { Route } from './route.ts'
import type { Session } from './session.ts'
import { words } from './words.ts'

/** What is to be seen on every page: the agent cannot be asked, or takes no jobs; empty when it is well. */
export const noticeOf = (
  { agent, refusal, isAnswering }: Pick<Session, 'agent' | 'refusal' | 'isAnswering'>,
  { connection, running }: Pick<JobFeed, 'connection' | 'running'>,
  page: Route['page'],
) => {
  const { draining, stopping } = agent.value
  const refused = refusal.value
  if (connection.value === 'refused' || refused?.status === 401) return words.signedOut
  if (refused) return words.refused(refused.message)
  // On the page of a job the feed rests.
  if (connection.value === 'lost' || (page === 'job' && !isAnswering.value)) return words.connectionLost
  if (draining || stopping) return words.draining
  if (page === 'agent') return '' // It tells all of them itself.
  const problem = problemsOf(agent.value, running.value).find(({ level }) => level === 'bad')
  return problem ? html`${problem.text} <a href="#/agent">${words.agent}</a>` : ''
}
