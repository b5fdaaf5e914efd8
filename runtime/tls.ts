import { constants, X509Certificate } from 'node:crypto'
import { stat } from 'node:fs/promises'
import { createSecureContext, type SecureContextOptions } from 'node:tls'
import type { Log } from '../lib/base/log.ts'
import { withRegularFile } from './regular-file.ts'
import { versionOf, watchFiles } from './watch-files.ts'

/** Paths of PEM files. */
export interface TlsFiles {
  /** The certificate, then those between it and the root. */
  cert: string
  key: string
  /** Who signs the certificates of clients; none are asked for when absent. */
  clientCa: string | undefined
}

export interface LoadedTls {
  options: SecureContextOptions
  version: string
}

/** Reads the files and tries them. Rejects with an Error that names the file. */
export const loadTls = async (files: TlsFiles, log: Pick<Log, 'warn'>): Promise<LoadedTls> => {
  // Taken before the files are read: a change that comes meanwhile is seen by the next look.
  const version = await versionOf(pathsOf(files))
  const { cert, key, clientCa } = files
  const [certPem, keyPem, caPem] = await Promise.all([
    readPem(cert),
    readPem(key),
    clientCa === undefined ? undefined : readPem(clientCa),
  ])
  const options = {
    cert: certPem,
    key: keyPem,
    ca: caPem,
    minVersion: 'TLSv1.2',
    // A session that is resumed would not be checked against authorities that have changed meanwhile.
    ...(caPem && { secureOptions: constants.SSL_OP_NO_TICKET }),
  } as const
  orFault(cert, () => new X509Certificate(certPem))
  // An authority that is none would be taken for no authority at all, and refuse every client.
  if (clientCa !== undefined) orFault(clientCa, () => new X509Certificate(caPem!))
  orFault(key, () => createSecureContext(options))
  if (((await stat(key)).mode & OTHERS) !== 0) log.warn({ key }, OPEN_KEY)
  return { options, version }
}

/** To read, and to write. A group may be there for it, as Debian's ssl-cert is. */
const OTHERS = 0o006
const OPEN_KEY =
  'THE FILE OF AGENT_TLS_KEY IS OPEN TO OTHERS: whoever reads it can pass for this agent; take a new key, with mode 0600'

export interface TlsWatchOptions {
  files: TlsFiles
  version: string
  onChange(options: SecureContextOptions): void
  log: Log
  intervalMs?: number
}

/** Takes renewed files up; while they cannot be used those from before stay, and a line of the log says why. */
export const watchTls = ({ files, version, onChange, log, ...rest }: TlsWatchOptions) =>
  watchFiles({
    ...rest,
    paths: pathsOf(files),
    version,
    load: () => loadTls(files, log),
    onLoaded({ options }) {
      onChange(options)
      const { subject, validTo } = new X509Certificate(options.cert as Buffer)
      log.info({ subject, validTo }, 'the TLS certificate has been renewed')
    },
    onFault: message =>
      log.error({ files, error: message }, 'THE CHANGED TLS FILES CANNOT BE USED: those from before stay'),
  })

const readPem = (path: string): Promise<Buffer> => withRegularFile(path, file => file.readFile())

const pathsOf = ({ cert, key, clientCa }: TlsFiles): string[] =>
  clientCa === undefined ? [cert, key] : [cert, key, clientCa]

const orFault = (path: string, action: () => unknown): void => {
  try {
    action()
  } catch (error) {
    throw new Error(`${path}: ${(error as Error).message}`)
  }
}
