export type ScriptType = 'shell' | 'python'

/** By a script's first line, else by its name; the interpreter when it is one that agents have none of. */
export const guessScriptType = (
  name: string,
  content: string,
): { type: ScriptType } | { type: undefined; interpreter: string } => {
  const interpreter = interpreterOf(content)
  if (interpreter === undefined) return { type: /[^/]\.py$/.test(name) ? 'python' : 'shell' }
  if (/^python[\d.]*t?$/.test(interpreter)) return { type: 'python' }
  if (/^(r?ba|a|da|k|z)?sh$/.test(interpreter)) return { type: 'shell' }
  return { type: undefined, interpreter }
}

/** Some editors write a byte order mark in front. */
const interpreterOf = (content: string): string | undefined => {
  const [, line] = /^\uFEFF?#!(.*)/.exec(content) ?? []
  const [path = '', ...rest] = line?.trim().split(/\s+/) ?? []
  const [program, applet = ''] = basename(path) === 'env' ? commandOfEnv(rest) : [path, ...rest]
  const name = basename(program ?? '')
  return (name === 'busybox' && !applet.startsWith('-') ? basename(applet) : name) || undefined
}

/** What env(1) is to run: behind its options, of which `-S` has the rest in it, and the variables that it sets. */
const commandOfEnv = (words: readonly string[]): string[] => {
  const isSplit = words.some(word => SPLIT.test(word))
  for (let index = 0; index < words.length; index++) {
    const word = unquoted(words[index]!.replace(SPLIT, ''), isSplit)
    if (WITH_VALUE.test(word)) index++
    else if (word !== '' && !word.startsWith('-') && !word.includes('='))
      return words.slice(index).map((one, at) => (at === 0 ? word : unquoted(one, isSplit)))
  }
  return []
}

/** Of quotes with a blank in them nothing comes that is a name. */
const unquoted = (word: string, isSplit: boolean): string =>
  isSplit ? word.replace(/^(["'])(.*)\1$/, '$2') : word

/** `-S`, alone or behind other letters; what is to be split may begin in the same word. */
const SPLIT = /^(-[a-zA-Z0]*?S|--split-string=)/
/** Options whose value is the next word. */
const WITH_VALUE = /^(-[i0v]*[uCa]|--(unset|chdir|argv0))$/

const basename = (path: string): string => /[^/]*(?=\/*$)/.exec(path)![0]
