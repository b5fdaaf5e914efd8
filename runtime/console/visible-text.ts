import { html } from './html.ts'

/**
 * Text that somebody else has written, with what one does not see in it, or what reorders what stands around it, as a
 * mark that names the character. It keeps to its own direction.
 */
export const visibleText = (text: string) =>
  html`<bdi>${text.split(AROUND_HIDDEN).map((part, index) => (index % 2 === 0 ? part : markOf(part)))}</bdi>`

/**
 * Characters that one does not see, or that reorder, join or end what stands around them. Not the ends of lines and
 * tabs, which are seen.
 */
export const HIDDEN = /(?![\t\n])[\p{Cc}\p{Cf}\p{Cs}\p{Co}\p{Zl}\p{Zp}]/u

const AROUND_HIDDEN = new RegExp(`(${HIDDEN.source})`, 'u')

/** The same where there can be no element: in the title of the tab, in a tooltip, in an option. */
export const visibleTextOf = (text: string): string =>
  text.replace(new RegExp(HIDDEN.source, 'gu'), character => `<${nameOf(character)}>`)

const markOf = (character: string) => html`<span class="hidden-character">${nameOf(character)}</span>`

const nameOf = (character: string): string =>
  `U+${character.codePointAt(0)!.toString(16).toUpperCase().padStart(4, '0')}`
