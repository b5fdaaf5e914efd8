import type { Target } from '../load/load.ts'

/** Sends the request of a target once, with something changed; what was answered. */
export const ask = async (target: Target, change: Partial<Target> = {}) => {
  const { url, ...init } = { ...target, ...change }
  const response = await fetch(url, init)
  return { status: response.status, ...((await response.json()) as { error?: string; data: unknown }) }
}
