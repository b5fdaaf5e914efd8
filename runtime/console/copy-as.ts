import type { Job, SubmitRequest } from '../../lib/client/client.ts'
import { exactLimit, LIMIT_NAMES, LIMITS } from './limits.ts'
import { HIDDEN } from './visible-text.ts'

type Asked = Pick<Job, 'cmd' | 'params' | 'labels' | 'user' | 'limits' | 'encoding' | 'async'>

export interface CurlOptions {
  agentUrl: string
  /** A token is expected in `$TOKEN`; of a secret `newdt sign` makes what proves it. */
  proof: 'token' | 'secret' | 'certificate'
  /** Of the agent's messages. */
  language: 'en' | 'zh'
}

/** The submission of a job for bash, by curl. A script's content is not kept. */
export const asCurl = (job: Asked, options: CurlOptions): string => {
  const { cmd, params, labels, user, limits, encoding, async } = job
  const body = {
    cmd,
    ...(params !== '' && { params }),
    ...(async && { async }),
    ...(Object.keys(labels).length > 0 && { labels }),
    // It would else be the agent's own user.
    ...(user !== '' && { user }),
    ...(Object.keys(limits).length > 0 && { limits }),
    ...(encoding !== 'utf-8' && { encoding }),
  }
  return submissionAsCurl(body, options)
}

/** Any submission for bash, by curl. */
export const submissionAsCurl = (body: SubmitRequest, { agentUrl, proof, language }: CurlOptions): string => {
  const root = agentUrl.replace(/\/$/, '')
  const path = `/api/jobs/execute/${'cmd' in body ? 'cmd' : 'script'}`
  const text = quoted(visibleJson(body))
  const isSigned = proof === 'secret'
  const words = [
    `curl -sS ${quoted(root + path)}`,
    ...(proof === 'token' ? [`-H "Authorization: Bearer $TOKEN"`] : []),
    ...(isSigned ? [`-K <(newdt sign -H ${quoted(root)} --config POST ${path} -d "$body")`] : []),
    // The agent's own is Chinese.
    ...(language === 'en' ? [`-H 'Accept-Language: en'`] : []),
    `-H 'Content-Type: application/json'`,
    `-d ${isSigned ? '"$body"' : text}`,
  ]
  return `${isSigned ? `body=${text}\n` : ''}${words.join(' \\\n  ')}`
}

/** The same by newdt, which finds its credentials by itself. */
export const asNewdt = (job: Asked, agentUrl: string): string => {
  const { cmd, params, labels, user, limits, encoding, async } = job
  const options: [name: string, value: string][] = Object.entries(labels).map(([name, value]) => [
    '--label',
    `${name}=${value}`,
  ])
  if (user !== '') options.push(['--user', user])
  for (const name of LIMIT_NAMES) {
    const value = limits[name]
    if (value !== undefined) options.push([LIMITS[name].option, exactLimit(name, value)])
  }
  if (encoding !== 'utf-8') options.push(['--encoding', encoding])
  const words = options.map(([name, value]) => `${name} ${quoted(value)}`)
  // One word behind -- is a command line for bash.
  const command = quoted(params === '' ? cmd : `${cmd} ${params}`, true)
  return [
    'newdt run',
    quoted(agentUrl.replace(/\/$/, '')),
    ...(async ? ['-d'] : []),
    ...words,
    '--',
    command,
  ].join(' ')
}

/**
 * One word of bash, whatever the text. In $'…' where the text has characters that one does not see, or that do
 * something to the terminal that it is pasted into: Tab completes, ESC may end a bracketed paste.
 */
const quoted = (text: string, always = false): string => {
  if (!always && PLAIN.test(text)) return text
  if (!UNFIT.test(text)) return `'${text.replaceAll("'", "'\\''")}'`
  const escaped = text.replace(/[\\'!\n]|[^ -~\n]/gu, one => {
    if (one === '\n') return '\\n'
    if (one === '\\' || one === "'") return `\\${one}`
    return one === '!' || UNFIT.test(one) ? bytesOf(one) : one
  })
  return `$'${escaped}'`
}

const PLAIN = /^[\w./:@%+=,-]+$/
/** A tab is seen on a page, and does something in a terminal. */
const UNFIT = new RegExp(`\\t|${HIDDEN.source}`, 'u')

/** By their bytes, so that the locale of the shell does not matter. */
const bytesOf = (character: string): string =>
  Array.from(new TextEncoder().encode(character), byte => `\\x${byte.toString(16).padStart(2, '0')}`).join('')

/** JSON has escapes of its own for such characters. */
const visibleJson = (value: unknown): string =>
  JSON.stringify(value).replace(new RegExp(UNFIT, 'gu'), character =>
    Array.from({ length: character.length }, (_, index) => unicodeEscape(character.charCodeAt(index))).join(
      '',
    ),
  )

const unicodeEscape = (unit: number): string => `\\u${unit.toString(16).padStart(4, '0')}`
