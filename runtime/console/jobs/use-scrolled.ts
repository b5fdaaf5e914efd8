import { useEffect, useLayoutEffect, useRef } from 'preact/hooks'
import { parseRoute } from '../route.ts'
import { focusRow } from './job-table.ts'
import type { JobsMemory } from './jobs-memory.ts'

/** Where one was when one comes back; at the top for another filter, which has another address. */
export const useScrolled = (memory: JobsMemory, address: string): void => {
  const isFirst = useRef(true)
  useLayoutEffect(() => {
    scrollTo(0, isFirst.current ? memory.scrolled : 0)
    if (isFirst.current && memory.selected.peek() !== undefined) focusRow(document, memory.selected.peek()!)
    isFirst.current = false
  }, [address])
  useEffect(() => {
    const onScroll = (): void => {
      // Before this ends, the next page may have been put at its top.
      if (parseRoute(location.hash).page === 'jobs') memory.scrolled = scrollY
    }
    addEventListener('scroll', onScroll, { passive: true })
    return () => {
      removeEventListener('scroll', onScroll)
      scrollTo(0, 0) // Another page begins at its top.
    }
  }, [memory])
}
