/** The longest beginning of a text that takes at most `most` bytes in UTF-8 and does not split a character. */
export const cutToBytes = (text: string, most: number): string => {
  if (text.length * 3 <= most) return text
  const { read } = new TextEncoder().encodeInto(text, new Uint8Array(most))
  return text.slice(0, read)
}
