import { useSignal } from '@preact/signals'
import { useEffect, useRef } from 'preact/hooks'
import { html } from '../html.ts'

export interface FilterFieldProps {
  name: string
  label: string
  placeholder: string
  value: string
  isInvalid: boolean
  /** After a pause in typing, or at once for Enter. */
  onChange(value: string): void
  /** For text that means something while it is typed; else it counts when one leaves the field. */
  isLive?: boolean
}

/** A field that waits until one has typed. */
export const FilterField = ({
  name,
  label,
  placeholder,
  value,
  isInvalid,
  onChange,
  isLive = true,
}: FilterFieldProps) => {
  const typed = useSignal(value)
  const timer = useRef<ReturnType<typeof setTimeout> | undefined>(undefined)
  // The address may have changed by something else, as by the back button.
  useEffect(() => {
    // A space at the end does not count, but more may be typed behind it.
    if (timer.current === undefined && typed.peek().trim() !== value) typed.value = value
  }, [value])

  const apply = (): void => {
    clearTimeout(timer.current)
    timer.current = undefined
    if (typed.value !== value) onChange(typed.value)
  }
  const latest = useRef(apply)
  latest.current = apply
  useEffect(() => () => clearTimeout(timer.current), [])
  const onInput = (event: Event): void => {
    typed.value = (event.currentTarget as HTMLInputElement).value
    clearTimeout(timer.current)
    timer.current = isLive ? setTimeout(() => latest.current(), PAUSE_MS) : undefined
  }
  return html`<label class="field filter-${name}"><span class="small quiet">${label}</span>
    <input type="search" name=${name} autocomplete="off" spellcheck="false" placeholder=${placeholder}
      value=${typed.value} aria-invalid=${isInvalid} onInput=${onInput} onChange=${apply}
      onKeyDown=${(event: KeyboardEvent) => event.key === 'Enter' && apply()} /></label>`
}

const PAUSE_MS = 250
