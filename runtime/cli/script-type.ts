import { basename, extname } from 'node:path'
import { UsageError } from './failure.ts'

export type ScriptType = 'shell' | 'python'

/** By its first line, else by its name. Throws UsageError for what an agent has no interpreter for. */
export const scriptTypeOf = (file: string, content: string): ScriptType => {
  const interpreter = interpreterOf(content)
  if (interpreter === undefined) return extname(file) === '.py' ? 'python' : 'shell'
  if (/^python[\d.]*$/.test(interpreter)) return 'python'
  if (/^(ba|da|k|z)?sh$/.test(interpreter)) return 'shell'
  throw new UsageError(`${file}: is for ${interpreter}; scripts are for bash or python3 (--type says which)`)
}

/** Some editors write a byte order mark in front. */
const interpreterOf = (content: string): string | undefined => {
  const [, line] = /^\uFEFF?#!(.*)/.exec(content) ?? []
  const words = line?.trim().split(/\s+/) ?? []
  const program = basename(words[0] ?? '')
  return (program === 'env' ? basename(commandOfEnv(words.slice(1))) : program) || undefined
}

/** What env(1) is to run: behind its options, of which `-S` has the rest in it, and the variables that it sets. */
const commandOfEnv = (words: readonly string[]): string => {
  for (let index = 0; index < words.length; index++) {
    const word = words[index]!.replace(SPLIT, '')
    if (WITH_VALUE.test(word)) index++
    else if (word !== '' && !word.startsWith('-') && !word.includes('=')) return word
  }
  return ''
}

/** `-S`, alone or behind other letters; what is to be split may begin in the same word. */
const SPLIT = /^(-[a-zA-Z0]*?S|--split-string=)/
/** Options whose value is the next word. */
const WITH_VALUE = /^(-[i0v]*[uCa]|--(unset|chdir|argv0))$/
