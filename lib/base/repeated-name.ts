/** A name that an object in a text has twice; JSON.parse would take the last. The text must be JSON. */
export const repeatedName = (json: string): string | undefined => {
  const open: Set<string>[] = []
  for (const [token, quoted] of json.matchAll(TOKENS)) {
    if (token === '{') open.push(new Set())
    else if (token === '}') open.pop()
    else if (quoted !== undefined) {
      const name: string = JSON.parse(quoted)
      const names = open.at(-1)!
      if (names.has(name)) return name
      names.add(name)
    }
  }
  return undefined
}

/** A name with the colon behind it; any other string, which may hold what looks like one; where objects begin and end. */
const TOKENS = /("[^"\\]*(?:\\.[^"\\]*)*")\s*:|"[^"\\]*(?:\\.[^"\\]*)*"|[{}]/gs
