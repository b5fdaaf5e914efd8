/**
 * The known word that was most likely meant: the one with the fewest edits, at most a third of its letters; else the only
 * one that begins so.
 */
export const nearest = (word: string, known: readonly string[]): string | undefined => {
  const ranked = known
    .map(name => ({ name, edits: countEdits(word.toLowerCase(), name.toLowerCase()) }))
    .filter(({ name, edits }) => edits <= Math.ceil(name.length / 3))
    .sort((one, other) => one.edits - other.edits)
  if (ranked[0] !== undefined) return ranked[0].name
  const [longer, another] = known.filter(name => name.toLowerCase().startsWith(word.toLowerCase()))
  return word.length < LEAST_BEGINNING || another !== undefined ? undefined : longer
}

const LEAST_BEGINNING = 3

/** How many letters must be added, removed or replaced (Levenshtein). */
const countEdits = (from: string, to: string): number => {
  let row = Array.from({ length: to.length + 1 }, (_, index) => index)
  for (let i = 1; i <= from.length; i++) {
    const next = [i]
    for (let j = 1; j <= to.length; j++) {
      const replaced = row[j - 1]! + (from[i - 1] === to[j - 1] ? 0 : 1)
      next.push(Math.min(replaced, row[j]! + 1, next[j - 1]! + 1))
    }
    row = next
  }
  return row[to.length]!
}
