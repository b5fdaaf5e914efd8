import { z } from 'zod'

/** `true` or `false` in a query. */
export const flag = (byDefault: boolean, description: string) =>
  z
    .enum(['true', 'false'])
    .default(`${byDefault}`)
    .transform(text => text === 'true')
    .meta({ description, override: instead({ type: 'boolean', default: byDefault }) })

/** How OpenAPI describes digits in a query that become a number. */
export const numberMeta = (
  description: string,
  range: { minimum: number; maximum?: number; default?: number },
) => ({ description, override: instead({ type: 'integer', ...range }) })

/** How OpenAPI describes several values with commas between them. */
export const listMeta = (
  description: string,
  items: { type: 'string'; enum?: string[]; pattern?: string },
  maxItems?: number,
) => ({
  description,
  param: { style: 'form', explode: false } as const,
  override: instead({ type: 'array', items, ...(maxItems === undefined ? {} : { maxItems }) }),
})

/** A query is text, but whoever reads the document may think in what the text stands for. */
const instead =
  (schema: object) =>
  ({ jsonSchema }: { jsonSchema: Record<string, unknown> }): void => {
    for (const name of ['type', 'enum', 'pattern', 'default']) delete jsonSchema[name]
    Object.assign(jsonSchema, schema)
  }
