import { readText } from './cgroup/hierarchies.ts'

/** What the agent must be allowed to, to run jobs as other users and to have them in hand; capabilities(7). */
const NEEDED = { CAP_CHOWN: 0, CAP_KILL: 5, CAP_SETGID: 6, CAP_SETUID: 7 }

/** Those that this process does not have, by name. */
export const missingCapabilities = (status = readText('/proc/self/status')): string[] => {
  const effective = BigInt(`0x${/^CapEff:\s*([0-9a-f]+)$/m.exec(status)?.[1] ?? '0'}`)
  return Object.entries(NEEDED)
    .filter(([, bit]) => ((effective >> BigInt(bit)) & 1n) === 0n)
    .map(([name]) => name)
}
