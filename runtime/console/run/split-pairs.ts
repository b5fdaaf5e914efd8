import type { Pair } from './form.ts'

/**
 * The pairs of a text with one `NAME=value` a line, as `env` prints them and as files of variables have them: empty
 * lines, those with `#` first, and an `export` before the name count for nothing. Undefined when it is another text,
 * or has no line of its own to split.
 */
export const splitPairs = (text: string): Pair[] | undefined => {
  const lines = text.split(/\r?\n/).filter(line => !/^\s*(#|$)/.test(line))
  const pairs: Pair[] = []
  for (const line of lines) {
    const [, name, value] = /^\s*(?:export\s+)?([^\s=]+)=(.*)$/s.exec(line) ?? []
    if (name === undefined || value === undefined) return undefined
    pairs.push({ name, value })
  }
  return pairs.length > 0 ? pairs : undefined
}
