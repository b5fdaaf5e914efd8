import type { ScriptType } from '../../../lib/client/script-type.ts'
import { LIMIT_NAMES, type LimitName } from '../limits.ts'

/** A name with its value: a variable, or a label. */
export interface Pair {
  name: string
  value: string
}

/** What one has typed; "" and false are what was left as it is. */
export interface RunForm {
  kind: 'command' | 'script'
  cmd: string
  scriptName: string
  /** "": by its first line, or its name. */
  scriptType: '' | ScriptType
  scriptContent: string
  params: string
  cwd: string
  user: string
  timeout: string
  env: readonly Pair[]
  labels: readonly Pair[]
  stdin: string
  encoding: string
  outputLimit: string
  onOutputLimit: '' | 'drop' | 'kill'
  leftovers: '' | 'keep' | 'kill'
  limits: Readonly<Record<LimitName, string>>
  noNewPrivileges: boolean
}

export const EMPTY_FORM: RunForm = {
  kind: 'command',
  cmd: '',
  scriptName: '',
  scriptType: '',
  scriptContent: '',
  params: '',
  cwd: '',
  user: '',
  timeout: '',
  env: [],
  labels: [],
  stdin: '',
  encoding: '',
  outputLimit: '',
  onOutputLimit: '',
  leftovers: '',
  limits: Object.fromEntries(LIMIT_NAMES.map(name => [name, ''])) as RunForm['limits'],
  noNewPrivileges: false,
}
