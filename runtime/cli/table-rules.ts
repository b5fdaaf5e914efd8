/*
 * What is true of every table of hosts.toml, each as what `refine` of zod takes: whether it is so, and what to say when
 * it is not.
 */

/** For a table that has one of several things at most. */
export const oneOf = <Name extends string>(names: readonly Name[]) =>
  [
    (table: Partial<Record<Name, unknown>>): boolean =>
      names.filter(name => table[name] !== undefined).length <= 1,
    `has more than one of ${names.join(', ')}`,
  ] as const

export const keyOfFile = [
  ({ private_key_file, key }: { private_key_file?: string | undefined; key?: string | undefined }): boolean =>
    private_key_file === undefined || key !== undefined,
  'needs the id of the key for its private_key_file: key = "…"',
] as const

export const wholeCertificate = [
  ({ cert, cert_key }: { cert?: string | undefined; cert_key?: string | undefined }): boolean =>
    (cert === undefined) === (cert_key === undefined),
  'needs both, cert and cert_key, or neither',
] as const
