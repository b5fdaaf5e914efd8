import { url } from 'node:inspector'
import { StartupError } from './startup-error.ts'

/** Whoever reaches Node's inspector has the agent's secrets and its account. Throws StartupError. */
export const refuseInspector = (): void => {
  const address = url()
  if (address === undefined) return
  throw new StartupError(
    `Node's inspector is open at ${new URL(address).host}, and whoever connects to it has the agent's secrets and account; start it by runtime/node.sh, without --inspect`,
  )
}
