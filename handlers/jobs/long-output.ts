import type { OutputView } from '../../lib/output/view.ts'

/**
 * The JSON of a job that came without its output, with it: decoded as it is sent, for it may be large, and many
 * may ask for it. In JSON a quote within a string is escaped, so what is looked for can only be the two fields.
 */
export function* withOutput(json: string, view: OutputView): Generator<string> {
  const [before, after] = json.split('"stdout":"","stderr":""') as [string, string]
  yield `${before}"stdout":"`
  for (const text of view.texts('stdout')) yield JSON.stringify(text).slice(1, -1)
  yield '","stderr":"'
  for (const text of view.texts('stderr')) yield JSON.stringify(text).slice(1, -1)
  yield `"${after}`
}
