import { z } from 'zod'

/** A parameter of a query that is `true` or `false`. */
export const flagSchema = (absent: boolean) =>
  z
    .enum(['true', 'false'])
    .default(absent ? 'true' : 'false')
    .transform(text => text === 'true')
