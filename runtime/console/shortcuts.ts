import { useLayoutEffect } from 'preact/hooks'

/**
 * Calls what belongs to a key (`event.key`) while the component is there; not while one types or a dialog is open, nor
 * with Ctrl, Alt or Meta, which are the browser's. Escape leaves a field.
 */
export const useShortcuts = (shortcuts: Record<string, (() => void) | undefined>): void => {
  // Before the next key: one may press it as soon as one sees the page.
  useLayoutEffect(() => {
    const onKey = (event: KeyboardEvent): void => {
      const { key, target } = event
      if (event.ctrlKey || event.altKey || event.metaKey || event.defaultPrevented || event.isComposing)
        return
      if (!(target instanceof HTMLElement) || document.querySelector('dialog[open]')) return
      if (isTypedInto(target)) {
        if (key !== 'Escape') return
        event.preventDefault() // Some browsers would empty a field for searching.
        target.blur()
        return
      }
      // What has the focus is pressed by it.
      if (key === 'Enter' && target.closest('a, button, summary, input')) return
      const action = Object.hasOwn(shortcuts, key) ? shortcuts[key] : undefined
      if (!action) return
      event.preventDefault()
      action()
    }
    document.addEventListener('keydown', onKey)
    return () => document.removeEventListener('keydown', onKey)
  })
}

const isTypedInto = (target: HTMLElement): boolean => target.isContentEditable || target.matches(TEXT_FIELDS)

const TEXT_FIELDS = 'textarea, select, input:not([type=checkbox], [type=radio], [type=button], [type=submit])'
