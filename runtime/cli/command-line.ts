/** The arguments of newdt itself, and those behind the first `--`, which belong to the command that is to be run. */
export const splitAtDashes = (args: string[]): { own: string[]; rest: string[] | undefined } => {
  const at = args.indexOf('--')
  return at < 0 ? { own: args, rest: undefined } : { own: args.slice(0, at), rest: args.slice(at + 1) }
}

/** The verb, which the fleet may stand before. */
export const verbOf = (own: readonly string[]): string | undefined => {
  const at = own.findIndex((word, index) => !word.startsWith('--fleet=') && !isOfFleet(own, index))
  return own[at]
}

const isOfFleet = (own: readonly string[], index: number): boolean =>
  own[index] === '--fleet' || own[index - 1] === '--fleet'

/** One word is a command line for bash; several are words that arrive as they are, quoted where they need to be. */
export const commandLineOf = (words: readonly string[]): string =>
  words.length === 1 ? words[0]! : words.map(quoteWord).join(' ')

/** The arguments of a script, as the agent splits them again. */
export const quoteWord = (word: string): string =>
  /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`
