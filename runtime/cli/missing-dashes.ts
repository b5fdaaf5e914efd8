import { readFileSync } from 'node:fs'
import type { Cli } from './cli.ts'
import { quoteWord } from './command-line.ts'
import { hostsPath } from './hosts-file.ts'
import { urlOf } from './which-host.ts'

/** What was typed without `--`. */
export interface Typed {
  /** With the verb, without newdt. */
  all: readonly string[]
  /** What was taken for no option of the verb. */
  words: readonly string[]
}

/** The same as it should be: `--` before the word with this number; undefined when there is none. */
export const withDashes = (
  { all, words }: Typed,
  own: number,
  { fleet }: Pick<Cli, 'fleet'> = {},
): string | undefined => {
  const [last, next] = [words[own - 1], words[own]]
  const after = last === undefined ? 1 : all.indexOf(last, 1) + 1
  const at = next === undefined ? after : all.indexOf(next, after)
  if (at >= all.length) return undefined
  const before = fleet === undefined ? [] : ['--fleet', quoteWord(fleet)]
  return ['newdt', ...before, ...all.slice(0, at).map(quoteWord), '--', ...all.slice(at).map(quoteWord)].join(
    ' ',
  )
}

/** For a hint, so it need not be read as TOML: whether a word is more likely to be a host than a command. */
export const isHostLike = (env: NodeJS.ProcessEnv, word: string): boolean => {
  if (urlOf(word) !== undefined) return true
  try {
    const tables = readFileSync(hostsPath(env), 'utf8').matchAll(/^\s*\[hosts\.(["']?)(.+)\1\]/gm)
    return [...tables].some(([, , name]) => name === word)
  } catch {
    return false
  }
}
