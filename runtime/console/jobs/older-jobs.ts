import { useEffect, useRef } from 'preact/hooks'
import { html } from '../html.ts'
import type { JobList } from './job-list.ts'
import { words } from './words.ts'

/** Reads older jobs as one comes near the end of the table; the button is for those whose browser does not tell. */
export const OlderJobs = ({ list }: { list: JobList }) => {
  const button = useRef<HTMLButtonElement>(null)
  const [hasOlder, isReading, fault] = [list.hasOlder.value, list.isReadingOlder.value, list.fault.value]
  // What is told is a change: after each reading it is asked anew whether the end is near.
  useEffect(() => {
    if (!button.current || isReading || fault) return
    const observer = new IntersectionObserver(
      entries => {
        if (entries.some(({ isIntersecting }) => isIntersecting)) void list.readOlder()
      },
      { rootMargin: '600px' },
    )
    observer.observe(button.current)
    return () => observer.disconnect()
  }, [list, hasOlder, isReading, fault])
  if (!hasOlder) return null
  return html`<button type="button" class="plain jobs-older" ref=${button} onClick=${() => list.readOlder()}>${words.older}</button>`
}
