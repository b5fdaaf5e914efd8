import { eastAsianWidth } from 'get-east-asian-width'

/** The columns that a text takes on a terminal; a Chinese character takes two. */
export const columnsOf = (text: string): number =>
  [...text].reduce((columns, character) => columns + eastAsianWidth(character.codePointAt(0)!), 0)
