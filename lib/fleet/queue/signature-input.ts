/** What a message says of its one signature (RFC 9421, 4.1). */
export interface SignatureInput {
  label: string
  /** Of what is signed, in order. */
  components: string[]
  parameters: ReadonlyMap<string, string | number>
  /** What is behind the label, exactly as it is signed. */
  text: string
}

/**
 * Undefined for one with several signatures, or in another form than signers have it: a time of expiry, say, must not be
 * read from anywhere but where the agent that checks the signature reads it.
 */
export const parseSignatureInput = (field: string): SignatureInput | undefined => {
  const [, label, text, list, rest] = INPUT.exec(field) ?? []
  if (label === undefined || text === undefined || list === undefined || rest === undefined) return undefined
  const components = Array.from(list.matchAll(STRING), ([quoted]) => quoted.slice(1, -1))
  const parameters = new Map<string, string | number>()
  for (const [, name = '', value = ''] of rest.matchAll(PARAMETER)) {
    if (parameters.has(name)) return undefined
    parameters.set(name, value.startsWith('"') ? value.slice(1, -1) : Number(value))
  }
  return { label, components, parameters, text }
}

const KEY = '[a-z*][a-z0-9_.*-]*'
/** Without what would have to be escaped. */
const QUOTED = '"[\\x20\\x21\\x23-\\x5b\\x5d-\\x7e]*"'
const ONE_PARAMETER = `;(?:${KEY})=(?:\\d{1,15}|${QUOTED})`
const INPUT = new RegExp(`^(${KEY})=(\\(((?:${QUOTED}(?: ${QUOTED})*)?)\\)((?:${ONE_PARAMETER})*))$`)
const STRING = new RegExp(QUOTED, 'g')
const PARAMETER = new RegExp(`;(${KEY})=(\\d{1,15}|${QUOTED})`, 'g')
