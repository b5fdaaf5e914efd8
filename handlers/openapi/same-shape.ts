import type { ZodType, z } from 'zod'

/**
 * `describes<JobJson>()(schema)` gives the schema, and compiles only if its type is the very same: a field that is
 * added, removed, or of another type on one side only is found.
 */
export const describes =
  <T>() =>
  <S extends ZodType>(schema: S & Same<T, z.output<S>>): S =>
    schema

type Same<A, B> =
  (<X>() => X extends Plain<A> ? 1 : 2) extends <X>() => X extends Plain<B> ? 1 : 2 ? unknown : never

/** All the way down, without what JSON knows nothing of: whether something may be written to, and how it was made. */
type Plain<T> = T extends object ? { -readonly [K in keyof T]: Plain<T[K]> } : T
