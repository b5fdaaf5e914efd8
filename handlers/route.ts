import type { ZodObject } from 'zod'
import type { Right } from '../lib/security/caller.ts'
import type { OperationName } from './openapi/operations.ts'
import type { Context, Handler } from './services.ts'

/** An endpoint that asks who its caller is. */
export interface Route {
  /** HEAD is answered wherever GET is. */
  method: 'get' | 'post'
  path: string
  /** The caller must have one of them. */
  rights: readonly Right[]
  handler: Handler
  /** How /openapi.json describes it. */
  operation: OperationName
  /** What it is called in the audit trail; routes that only look have none. */
  action?: string
  /** The parameters that its query may have, beside the signature; none when absent. */
  query?: ZodObject
}

/** An endpoint that anybody may ask. */
export interface OpenRoute extends Pick<Route, 'path' | 'operation'> {
  method: 'get'
  handler: Handler<Context>
}

/** One that anybody may ask, and that no program needs to know of. */
export type PageRoute = Omit<OpenRoute, 'operation'>
