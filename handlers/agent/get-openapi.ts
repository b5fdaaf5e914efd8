import { json } from '../http/reply.ts'
import type { OpenRoute, Route } from '../route.ts'
import type { Handler } from '../services.ts'

/**
 * What programs may know of the endpoints, as OpenAPI has it, without an envelope. Few ask for it, so it is made, and
 * what makes it is loaded, for the first one.
 */
export const getOpenApi = (routes: () => readonly (Route | OpenRoute)[]): Handler => {
  let text: string | undefined
  return async (_request, { status }) => {
    if (text === undefined) {
      const { createOpenApi } = await import('../openapi/document.ts')
      text = JSON.stringify(createOpenApi(routes(), status().version))
    }
    return json(200, text, {})
  }
}
