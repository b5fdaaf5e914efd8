import { execFileSync } from 'node:child_process'
import { join } from 'node:path'

/** Paths of PEM files. */
export interface CertificateFiles {
  cert: string
  key: string
}

/** Makes certificates with openssl, in a directory: of an authority by itself, or signed by one. */
export const createCertificates = (directory: string) => ({
  make(name: string, subject: string, by?: CertificateFiles): CertificateFiles {
    const files = { cert: join(directory, `${name}.pem`), key: join(directory, `${name}.key`) }
    const issuer = by ? ['-CA', by.cert, '-CAkey', by.key, '-addext', 'basicConstraints=CA:FALSE'] : []
    execFileSync(
      'openssl',
      [
        ...['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', '2'],
        ...['-utf8', '-multivalue-rdn', '-subj', subject, '-addext', 'subjectAltName=IP:127.0.0.1'],
        ...['-keyout', files.key, '-out', files.cert, ...issuer],
      ],
      { stdio: 'pipe' },
    )
    return files
  },
})
