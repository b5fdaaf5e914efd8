import { resolve } from 'node:path'
import { Option } from 'commander'
import { type Cli, tell } from '../cli.ts'
import { UsageError } from '../failure.ts'
import { addHost, type HostEntry, hostsPath } from '../hosts-file.ts'
import { readStdin } from '../submission.ts'
import { type Verb, verb } from '../verb.ts'
import { urlOf } from '../which-host.ts'

interface Options {
  key?: string
  secretFile?: string
  secretStdin?: boolean
  tokenFile?: string
  tokenStdin?: boolean
  privateKey?: string
  signature?: 'rfc9421' | 'contract'
  ca?: string
  cert?: string
  certKey?: string
}

/** Keeps how an agent is asked, under a name. */
export const hostAdd: Verb = cli => {
  const command = verb('add', 'keep the address of an agent, and how to ask it, under a name', [
    'newdt host add db1 https://db1.example.com:8443 --key platform --private-key ~/.ssh/platform.pem --ca ca.pem',
    'newdt host add web1 http://10.0.0.7:8080 --secret-file /etc/newdt-auto.secret',
    'newdt key new --id me --rights read,run --file keys.json | newdt host add here http://127.0.0.1:8080 --token-stdin',
  ])
  command
    .argument('<name>', 'letters, digits, . _ and -')
    .argument('<url>', 'such as https://db1.example.com:8443')
    .option('--key <id>', 'of the key that signs; the agent\'s own secret is the key "default"')
    .option('--secret-file <file>', 'the secret that signs')
    .option('--secret-stdin', 'the same from standard input; it is kept in hosts.toml')
    .option('--token-file <file>', 'a bearer token')
    .option('--token-stdin', 'the same from standard input; it is kept in hosts.toml')
    .option('--private-key <file>', 'an Ed25519 key (PKCS #8 in PEM) that signs')
    .addOption(new Option('--signature <kind>', 'how a secret signs').choices(['rfc9421', 'contract']))
    .option('--ca <file>', 'whom to trust, in PEM')
    .option('--cert <file>', "the client's certificate, in PEM")
    .option('--cert-key <file>', 'and its key')
  return command.action(async (name: string, url: string, options: Options) => {
    const { HOST_NAME, hostsSchema } = await import('../hosts-schema.ts')
    if (!HOST_NAME.test(name))
      throw new UsageError(`host add: ${name}: a name has letters, digits, . _ and -`)
    const entry = await entryOf(cli, urlOf(url) ?? url, options)
    const { error } = hostsSchema.safeParse({ hosts: { [name]: entry } })
    if (error) {
      const [issue] = error.issues
      throw new UsageError(`host add: ${issue!.path.slice(2).join('.') || name}: ${issue!.message}`)
    }
    await addHost(cli.env, name, entry)
    await tell(cli, `${hostsPath(cli.env)}: ${name} is added; newdt host check ${name} asks it`)
  })
}

const entryOf = async (cli: Cli, url: string, options: Options): Promise<HostEntry> => {
  const { secretStdin, tokenStdin } = options
  if (secretStdin && tokenStdin)
    throw new UsageError('--secret-stdin and --token-stdin: only one can be read')
  const typed = secretStdin || tokenStdin ? (await readStdin(cli)).trim() : undefined
  if (typed === '') throw new UsageError('there is nothing on standard input')
  const absolute = (path: string | undefined) => (path === undefined ? undefined : resolve(path))
  const entry: HostEntry = {
    url,
    key: options.key,
    secret: secretStdin ? typed : undefined,
    secret_file: absolute(options.secretFile),
    token: tokenStdin ? typed : undefined,
    token_file: absolute(options.tokenFile),
    private_key_file: absolute(options.privateKey),
    signature: options.signature,
    ca: absolute(options.ca),
    cert: absolute(options.cert),
    cert_key: absolute(options.certKey),
  }
  return JSON.parse(JSON.stringify(entry)) as HostEntry
}
