import { guessScriptType, type ScriptType } from '../../lib/client/script-type.ts'
import { UsageError } from './failure.ts'

/** By its first line, else by its name. Throws UsageError for what an agent has no interpreter for. */
export const scriptTypeOf = (file: string, content: string): ScriptType => {
  const guess = guessScriptType(file, content)
  if (guess.type !== undefined) return guess.type
  throw new UsageError(
    `${file}: is for ${guess.interpreter}; scripts are for bash or python3 (--type says which)`,
  )
}
