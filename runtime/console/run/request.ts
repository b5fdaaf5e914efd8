import type { CommandRequest, SubmitRequest } from '../../../lib/client/client.ts'
import { LIMIT_NAMES, type LimitName } from '../limits.ts'
import type { Pair, RunForm } from './form.ts'
import { scriptTypeOf } from './script-type.ts'

/**
 * What the form asks for. Fields that were left empty are left out; what is no number is sent as it is typed, so that
 * the agent says what it should be.
 */
export const requestOf = (form: RunForm): SubmitRequest => {
  const { kind, cmd, scriptName, scriptContent } = form
  const scriptType = scriptTypeOf(form)
  const what = kind === 'command' ? { cmd } : { scriptName: scriptName.trim(), scriptType, scriptContent }
  return { ...what, ...filled(optionsOf(form)) }
}

/** All that a submission may have beside what is to be run. Callbacks are for programs: who looks here sees the end. */
const optionsOf = ({ params, cwd, user, timeout, stdin, encoding, outputLimit, ...form }: RunForm) =>
  ({
    params,
    cwd,
    user,
    timeout: timeout.trim(),
    env: fieldsOf(form.env),
    labels: fieldsOf(form.labels),
    stdin,
    encoding: encoding.trim(),
    outputLimit: numberOrText(outputLimit),
    onOutputLimit: form.onOutputLimit,
    leftovers: form.leftovers,
    limits: limitsOf(form),
    noNewPrivileges: form.noNewPrivileges,
  }) satisfies Record<Exclude<keyof CommandRequest, 'cmd' | 'notify'>, unknown>

const limitsOf = ({ limits }: Pick<RunForm, 'limits'>): Partial<Record<LimitName, number>> =>
  filled(Object.fromEntries(LIMIT_NAMES.map(name => [name, numberOrText(limits[name])])))

const fieldsOf = (pairs: readonly Pair[]): Record<string, string> =>
  Object.fromEntries(
    pairs
      .filter(({ name, value }) => name !== '' || value !== '')
      .map(({ name, value }) => [name.trim(), value]),
  )

/** Also what is no number, for the agent to refuse it in its own words. */
const numberOrText = (text: string): number => {
  const trimmed = text.trim()
  return /^\d+(\.\d+)?$/.test(trimmed) ? Number(trimmed) : (trimmed as unknown as number)
}

/** '' and false are what was left empty. */
type Filled<Fields> = { [Name in keyof Fields]?: Exclude<Fields[Name], '' | false> }

const filled = <Fields extends object>(fields: Fields): Filled<Fields> =>
  Object.fromEntries(
    Object.entries(fields).filter(
      ([, value]) => value !== '' && value !== false && !(typeof value === 'object' && isEmpty(value)),
    ),
  ) as Filled<Fields>

const isEmpty = (value: object | null): boolean => Object.keys(value ?? {}).length === 0

/** A name that is there twice: the agent would never hear of the first. */
export const findRepeated = (pairs: readonly Pair[]): string | undefined => {
  const names = pairs.map(({ name }) => name.trim()).filter(name => name !== '')
  return names.find((name, index) => names.indexOf(name) < index)
}
