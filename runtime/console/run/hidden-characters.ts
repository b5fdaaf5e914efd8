import { HIDDEN } from '../visible-text.ts'

/**
 * Whether a text may look different from what it is: by characters that reorder others, or that nobody sees. The ends
 * of lines of Windows are none of them.
 */
export const hasHiddenCharacters = (text: string): boolean => HIDDEN.test(text.replaceAll('\r\n', '\n'))
