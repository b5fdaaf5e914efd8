import type { Agent } from '../../../lib/client/client.ts'
import type { RunForm } from './form.ts'

export type Bounds = NonNullable<Agent['caller']['bounds']>

/** What a key may run that is held to some commands; undefined for one that may run any. */
export const allowedOf = ({ commands }: Bounds): { commands: string[]; scripts: boolean } | undefined => {
  if (!commands) return undefined
  const plain = commands.filter(command => !command.startsWith(HASH))
  return { commands: plain, scripts: plain.length < commands.length }
}

const HASH = 'sha256:'

/** The form as somebody has changed it: a command that was chosen takes no params, as its field is not there. */
export const changedWithin = (form: RunForm, bounds: Bounds): RunForm =>
  allowedOf(bounds) && form.kind === 'command' ? { ...form, params: '' } : form

/** The form without what the agent always refuses to a key with such bounds. */
export const formWithin = (form: RunForm, bounds: Bounds): RunForm => {
  const cwd = form.cwd === '' ? (bounds.cwd?.[0] ?? '') : form.cwd
  const allowed = allowedOf(bounds)
  if (!allowed) return { ...form, cwd }
  const asked = form.kind === 'script' || form.params === '' ? form.cmd : `${form.cmd} ${form.params}`
  const kind =
    allowed.scripts && (form.kind === 'script' || allowed.commands.length === 0) ? 'script' : 'command'
  return {
    ...form,
    kind,
    cmd: allowed.commands.includes(asked) ? asked : '',
    params: kind === 'script' ? form.params : '',
    env: [],
    cwd: bounds.cwd ? cwd : '',
  }
}
