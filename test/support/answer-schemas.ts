import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js'
import addFormats from 'ajv-formats'
import { createOpenApi } from '../../handlers/openapi/document.ts'
import { OPEN_ROUTES, ROUTES } from '../../handlers/routes.ts'

export type Json = null | boolean | number | string | Json[] | { [name: string]: Json }
type JsonObject = { [name: string]: Json }

/** The agent's OpenAPI document as JSON. */
export const openApi = JSON.parse(
  JSON.stringify(createOpenApi([...OPEN_ROUTES, ...ROUTES], '1.2.3')),
) as JsonObject

/** Why a value is not as the schema at that place of the document has it; nothing when it is. */
export const faultsOf = (pointer: readonly string[], value: unknown): string[] => {
  const names = pointer.map(name => encodeURIComponent(name.replaceAll('~', '~0').replaceAll('/', '~1')))
  const place = `closed#/${names.join('/')}`
  const validate = compiled.get(place) ?? ajv.compile({ $ref: place })
  compiled.set(place, validate)
  if (validate(value)) return []
  return (validate.errors ?? []).map(({ instancePath, message, params }) =>
    [instancePath, message, JSON.stringify(params).slice(0, 200)].join(' '),
  )
}

/**
 * Clients must let pass fields that they do not know, so the document does not exclude them. Here each field must be
 * one that it knows.
 */
const closed = (json: Json): Json => {
  if (Array.isArray(json)) return json.map(closed)
  if (json === null || typeof json !== 'object') return json
  const entries = Object.entries(json).map(([name, value]) => [name, closed(value)] as const)
  const isOpen = json.type === 'object' && 'properties' in json && !('additionalProperties' in json)
  return { ...Object.fromEntries(entries), ...(isOpen ? { additionalProperties: false } : {}) }
}

const compiled = new Map<string, ValidateFunction>()
const ajv = new Ajv2020({ strict: false, allErrors: true, validateSchema: false })
addFormats.default(ajv)
for (const name of ['binary', 'base64']) ajv.addFormat(name, true)
ajv.addSchema(closed(openApi) as JsonObject, 'closed')
