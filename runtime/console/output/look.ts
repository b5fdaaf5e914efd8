import { createColorPalette } from 'ansi-sequence-parser'
import { channels, decorationsOf, inkColour, type Style, TRUE_COLOUR } from './style.ts'

export interface Look {
  class: string
  style: { color?: string; backgroundColor?: string }
}

/** How a style looks on the page: classes for the decorations, colours of its own for the rest. */
export const lookOf = (style: Style): Look => {
  const decorations = decorationsOf(style)
  const isReversed = decorations.includes('reverse')
  const ink = inkColour(style)
  const [text, behind] = isReversed ? [style.ground, ink] : [ink, style.ground]
  return {
    class: decorations.map(decoration => `output-${decoration}`).join(' '),
    style: isReversed || behind !== 0 ? onColour(text, behind) : onPage(text),
  }
}

const onPage = (text: number): Look['style'] => {
  if (text === 0) return {}
  return { color: text <= NAMED ? `var(--ansi-${text - 1})` : exact(text) }
}

/** On a colour the names of colours mean just these, in the light and in the dark. */
const onColour = (text: number, behind: number): Look['style'] => ({
  color: text === 0 ? readableOn(behind) : named(text),
  backgroundColor: behind === 0 ? 'var(--text)' : named(behind),
})

const named = (colour: number): string => (colour <= NAMED ? `var(--paint-${colour - 1})` : exact(colour))

const readableOn = (behind: number): string => {
  if (behind === 0) return 'var(--ground)'
  if (behind <= NAMED) return `var(--on-paint-${behind - 1})`
  const [red, green, blue] = channelsOf(behind)
  return red * 0.3 + green * 0.59 + blue * 0.11 < 128 ? '#fff' : '#000'
}

const exact = (colour: number): string => `rgb(${channelsOf(colour).join(' ')})`

const channelsOf = (colour: number): [number, number, number] =>
  channels(colour >= TRUE_COLOUR ? colour : tableColour(colour))

const tableColour = (colour: number): number =>
  Number.parseInt(palette.value({ type: 'table', index: colour - 1 }).slice(1), 16)

const palette = createColorPalette()

/** The first sixteen, counted from 1. */
const NAMED = 16
