import { guessScriptType, type ScriptType } from '../../../lib/client/script-type.ts'
import type { RunForm } from './form.ts'

type Script = Pick<RunForm, 'scriptType' | 'scriptName' | 'scriptContent'>

/** What runs the script: what was chosen by hand, else what its first line and its name say. */
export const scriptTypeOf = ({ scriptType, scriptName, scriptContent }: Script): ScriptType =>
  scriptType || (guessScriptType(scriptName.trim(), scriptContent).type ?? 'shell')

/** What the first line asks for, where agents have no such interpreter and nothing was chosen by hand. */
export const foreignInterpreterOf = ({
  scriptType,
  scriptName,
  scriptContent,
}: Script): string | undefined => {
  const guess = guessScriptType(scriptName, scriptContent)
  return scriptType === '' && guess.type === undefined ? guess.interpreter : undefined
}
