import { useEffect } from 'preact/hooks'

/**
 * Moves the focus into the page when another one is shown: what was pressed for it may be gone, and one who reads by
 * ear hears what is new. Not where the page itself has put it into a field, or a dialog has it.
 */
export const useContentFocus = (page: string): void => {
  useEffect(() => {
    const { activeElement } = document
    const isTaken = activeElement?.closest('#content, dialog') ?? document.querySelector('dialog[open]')
    if (!isTaken) focusContent()
  }, [page])
}

export const focusContent = (): void => document.getElementById('content')?.focus({ preventScroll: true })
