/**
 * How text looks, in two numbers of 32 bits: `ink` has the colour of the text and its decorations, `ground` the
 * colour behind it. A colour is 0 for the page's own, 1 to 256 for one of the table, or TRUE_COLOUR and 24 bits.
 */
export interface Style {
  readonly ink: number
  readonly ground: number
}

export const PLAIN: Style = { ink: 0, ground: 0 }

export const TRUE_COLOUR = 1 << 24

/** In the order of their bits. What the parser calls hidden is shown. */
export const DECORATIONS = [
  'bold',
  'dim',
  'italic',
  'underline',
  'reverse',
  'strikethrough',
  'overline',
] as const
export type Decoration = (typeof DECORATIONS)[number]

export const packStyle = (ink: number, ground: number, decorations: Iterable<string>): Style => {
  let bits = 0
  for (const decoration of decorations) {
    const bit = DECORATIONS.indexOf(decoration as Decoration)
    if (bit >= 0) bits |= 1 << bit
  }
  return { ink: ((bits << COLOUR_BITS) | ink) >>> 0, ground }
}

export const inkColour = ({ ink }: Style): number => ink & ((1 << COLOUR_BITS) - 1)

export const decorationsOf = ({ ink }: Style): Decoration[] =>
  DECORATIONS.filter((_, bit) => (ink >>> COLOUR_BITS) & (1 << bit))

/** The red, green and blue of a true colour. */
export const channels = (colour: number): [number, number, number] => [
  (colour >> 16) & 255,
  (colour >> 8) & 255,
  colour & 255,
]

const COLOUR_BITS = 25
