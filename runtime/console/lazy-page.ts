import { signal } from '@preact/signals'
import { type ComponentType, h } from 'preact'
import { delayMs, pause } from '../../lib/client/retry.ts'
import { html } from './html.ts'
import { words } from './words.ts'

/**
 * A page whose code is loaded when it is first shown, or by `preload`. Where that fails, an agent of another version
 * may have taken this one's place: the reader is asked to load everything anew.
 */
export const lazyPage = <Props extends object>(load: () => Promise<ComponentType<Props>>) => {
  const state = signal<ComponentType<Props> | 'loading' | 'failed' | undefined>(undefined)
  const begin = async (afterFailure: 'failed' | undefined): Promise<void> => {
    if (state.peek() !== undefined) return
    state.value = 'loading'
    try {
      const page = await withTries(load)
      state.value = page
    } catch {
      state.value = afterFailure
    }
  }
  /** Where that fails nobody has missed it: it is tried again when the page is shown. */
  const preload = () => begin(undefined)
  const Page = (props: Props) => {
    const page = state.value
    void begin('failed')
    if (page === 'failed') return html`<p class="fault" role="alert">${words.notLoaded} ${reloadButton()}</p>`
    return typeof page === 'function' ? h(page, props) : html`<p class="quiet">${words.loading}</p>`
  }
  return { Page, preload }
}

/** A connection may break while code is loaded, as any other; browsers do not always tell that nothing comes any more. */
const withTries = async <T>(load: () => Promise<T>): Promise<T> => {
  const late = pause(LATE_MS, undefined).then(() => undefined)
  for (let tries = 0; ; tries++) {
    try {
      const loaded = await Promise.race([load(), late])
      if (loaded !== undefined) return loaded
    } catch (error) {
      if (tries === MOST_TRIES) throw error
      await pause(delayMs(tries, { retryAfterMs: undefined }), undefined)
      continue
    }
    throw new Error(`it was not there within ${LATE_MS / 1000} s`)
  }
}

/** They take about three seconds. */
const MOST_TRIES = 5
const LATE_MS = 10_000

const reloadButton = () => html`<button onClick=${() => location.reload()}>${words.reload}</button>`
