import { readFile } from 'node:fs/promises'
import { Option } from 'commander'
import { createSigner } from '../../../lib/client/credentials.ts'
import { quoteWord } from '../command-line.ts'
import { Failure, UsageError } from '../failure.ts'
import { type Verb, verb } from '../verb.ts'
import { type Host, whichHost } from '../which-host.ts'

interface Options {
  data?: string
  signature?: 'rfc9421' | 'contract'
  config?: boolean
  idempotencyKey?: string
  host?: string
}

/** The headers that prove who asks, as options for curl. */
export const sign: Verb = cli => {
  const command = verb('sign', "print curl's options that sign a request", [
    'eval "curl $(newdt sign GET /api/jobs) http://127.0.0.1:8080/api/jobs"',
    'curl -K <(newdt sign --config GET /api/jobs) http://127.0.0.1:8080/api/jobs',
    `newdt sign --signature contract GET /api/jobs     # good for every request, for half an hour`,
  ])
  command
    .option('-H, --host <name or url>', 'the agent that it is for (default: NEWDT_HOST, or newdt host use)')
    .argument('<method>', 'GET or POST')
    .argument('<url>', 'a path of the agent, with its query, or a whole URL')
    .option('-d, --data <text>', 'the body that is sent, @FILE for that of a file')
    .option('--idempotency-key <key>', 'the header Idempotency-Key, which the signature then covers')
    .addOption(
      new Option('--signature <kind>', 'rfc9421: of this request, good once').choices([
        'rfc9421',
        'contract',
      ]),
    )
    .option('--config', 'as lines of a configuration file of curl, for -K')
  return command.action(async (method: string, url: string, options: Options) => {
    const host = await whichHost(cli.env, options.host)
    const body = await bodyOf(options.data)
    const signer = createSigner(credentialsOf(host, options))
    const { idempotencyKey } = options
    const own: Record<string, string> =
      idempotencyKey === undefined ? {} : { 'Idempotency-Key': idempotencyKey }
    const proof = await signer({ method: method.toUpperCase(), url: urlOf(host, url), body, headers: own })
    const lines = Object.entries({ ...own, ...proof }).map(([name, value]) => `${name}: ${value}`)
    if (options.config) await cli.out.write(lines.map(line => `header = ${JSON.stringify(line)}\n`).join(''))
    else await cli.out.write(`${lines.map(line => `-H ${quoteWord(line)}`).join(' ')}\n`)
  })
}

const urlOf = ({ url: base }: Host, url: string): URL => {
  try {
    const root = new URL(base)
    return url.startsWith('/') ? new URL(root.pathname.replace(/\/$/, '') + url, root) : new URL(url)
  } catch {
    throw new UsageError(`${url}: is neither a path, such as /api/jobs, nor a URL`)
  }
}

const bodyOf = async (data: string | undefined): Promise<Uint8Array<ArrayBuffer> | undefined> => {
  if (data === undefined) return undefined
  if (!data.startsWith('@')) return new TextEncoder().encode(data)
  return new Uint8Array(await readFile(data.slice(1)))
}

const credentialsOf = ({ name, credentials }: Host, { signature }: Options) => {
  if (!credentials) throw new Failure(`nothing to sign with for ${name}: set NEWDT_SECRET, or newdt host add`)
  if (signature === undefined || 'token' in credentials || 'privateKey' in credentials) return credentials
  return { ...credentials, signature }
}
