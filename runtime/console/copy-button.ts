import { useSignal } from '@preact/signals'
import type { ComponentChildren } from 'preact'
import { useRef } from 'preact/hooks'
import { html } from './html.ts'
import { choose } from './language.ts'
import { words } from './words.ts'

export interface CopyButtonProps {
  /** Asked when it is pressed; one that takes time is copied when it is there. */
  text(): string | Promise<string>
  /** What it says to those who do not see what it stands beside. */
  label?: string | undefined
  isDisabled?: boolean | undefined
  describedBy?: string | undefined
  onCopied?: (() => void) | undefined
  children: ComponentChildren
}

/** Copies a text, and says so for a moment. */
export const CopyButton = ({ text, label, isDisabled, describedBy, onCopied, children }: CopyButtonProps) => {
  const told = useSignal('')
  const timer = useRef<ReturnType<typeof setTimeout> | undefined>(undefined)
  const copy = async (): Promise<void> => {
    try {
      await copyText(text())
      told.value = words.copied
      onCopied?.()
    } catch (error) {
      // The browser says it in a way of its own.
      told.value = error instanceof DOMException ? failed : (error as Error).message
    }
    // One that was begun before would end this message too early.
    clearTimeout(timer.current)
    timer.current = setTimeout(() => {
      told.value = ''
    }, SHOWN_MS)
  }
  return html`<span class="copy">
    <button type="button" onClick=${copy} disabled=${isDisabled} aria-label=${label} title=${label}
      aria-describedby=${describedBy}>${children}</button>
    <span class="small quiet" role="status">${told.value}</span></span>`
}

/** A text that is still on its way is promised at once: a moment later the browser would not know who has pressed. */
const copyText = async (text: string | Promise<string>): Promise<void> => {
  if (typeof text === 'string') return navigator.clipboard.writeText(text)
  const blob = text.then(text => new Blob([text], { type: 'text/plain' }))
  blob.catch(() => {}) // Told below.
  await navigator.clipboard.write([new ClipboardItem({ 'text/plain': blob })]).catch(async error => {
    await text // Why it was not there is worth more than that it was not.
    throw error
  })
}

const failed = choose({ en: 'The browser did not let it be copied.', zh: '浏览器不允许复制。' })

const SHOWN_MS = 2500
