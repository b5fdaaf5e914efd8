/**
 * Splits a line into words as a POSIX shell treats blanks, quotes and backslashes (XCU 2.2); nothing is expanded
 * and no character is an operator. Undefined when a quote or a backslash is left open. The libraries for it
 * differ from the shell where quotes of two kinds meet in one word, or at `\$` within double quotes.
 */
export const splitWords = (line: string): string[] | undefined => {
  const words: string[] = []
  let word: string | undefined
  const scanner = new RegExp(PART)
  while (scanner.lastIndex < line.length) {
    const part = scanner.exec(line)
    if (!part) return undefined
    const [all, blank, single, double, escaped] = part
    if (blank !== undefined) {
      if (word !== undefined) words.push(word)
      word = undefined
      continue
    }
    if (escaped === '\n') continue // The line goes on, and so does the word, if there is one.
    word ??= ''
    if (single !== undefined) word += single
    else if (double !== undefined) word += double.replace(/\\([$`"\\])|\\\n/g, '$1')
    else if (escaped !== undefined) word += escaped
    else word += all
  }
  return word === undefined ? words : [...words, word]
}

/** Blanks, '…', "…", an escaped character, or a run of plain ones. */
const PART = /([ \t\n]+)|'([^']*)'|"((?:[^"\\]|\\[\s\S])*)"|\\([\s\S])|[^ \t\n'"\\]+/y
