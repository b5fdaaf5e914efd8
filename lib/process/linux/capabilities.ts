import { readText } from './read-text.ts'

/** What the agent must be allowed to, to run jobs as other users and to have them in hand; capabilities(7). */
const FOR_USERS = { CAP_CHOWN: 0, CAP_KILL: 5, CAP_SETGID: 6, CAP_SETUID: 7 }
/** To raise hard resource limits. */
const CAP_SYS_RESOURCE = 24

/** What this process is allowed to; `status` is the text of /proc/<pid>/status. */
export const readCapabilities = (status = readText('/proc/self/status')) => {
  const setOf = (name: string): bigint =>
    BigInt(`0x${new RegExp(`^${name}:\\s*([0-9a-f]+)$`, 'm').exec(status)?.[1] ?? '0'}`)
  const effective = setOf('CapEff')
  const ambient = setOf('CapAmb')
  const has = (bit: number, set = effective): boolean => ((set >> BigInt(bit)) & 1n) === 1n
  return {
    /** By name. */
    missingForUsers: (): string[] =>
      Object.entries(FOR_USERS)
        .filter(([, bit]) => !has(bit))
        .map(([name]) => name),

    /**
     * Those that make whoever has them as good as root, and that every program of the agent inherits: systemd's
     * AmbientCapabilities. By the names that setpriv(1) has.
     */
    inheritedForUsers: (): string[] =>
      Object.entries(FOR_USERS)
        .filter(([, bit]) => has(bit, ambient))
        .map(([name]) => name.slice('CAP_'.length).toLowerCase()),

    mayRaiseLimits: (): boolean => has(CAP_SYS_RESOURCE),
  }
}

export type Capabilities = ReturnType<typeof readCapabilities>
