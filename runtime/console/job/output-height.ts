import { useLayoutEffect, useRef } from 'preact/hooks'

/**
 * Of an element with an output in it: the rows are as high as the window has room from where they begin, so that their
 * end, which one follows, is seen. Where there is hardly any, one has to scroll anyway, and the style sheet says it.
 */
export const useOutputHeight = () => {
  const place = useRef<HTMLDivElement>(null)
  useLayoutEffect(() => {
    const element = place.current!
    let frame = 0
    // Not at once: the observer would complain that it changes what it observes.
    const measureSoon = (): void => {
      cancelAnimationFrame(frame)
      frame = requestAnimationFrame(() => measure(element))
    }
    measure(element)
    const observer = new ResizeObserver(measureSoon)
    const head = element.closest('.job-columns')?.firstElementChild
    for (const above of [document.body, element, head]) if (above) observer.observe(above)
    addEventListener('resize', measureSoon)
    return () => {
      observer.disconnect()
      removeEventListener('resize', measureSoon)
      cancelAnimationFrame(frame)
    }
  }, [])
  return place
}

const measure = (place: HTMLElement): void => {
  const rows = place.querySelector('.output-list')!.getBoundingClientRect()
  const below = place.getBoundingClientRect().bottom - rows.bottom
  const room = Math.floor(innerHeight - (rows.top + scrollY) - below - MARGIN_PX)
  if (room < LEAST_PX) place.style.removeProperty('--room')
  else place.style.setProperty('--room', `${room}px`)
}

const MARGIN_PX = 12
const LEAST_PX = 240
