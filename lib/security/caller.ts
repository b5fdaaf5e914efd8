/** `read`: look; `run`: submit, and control what one has submitted; `admin`: control everything. */
export const RIGHTS = ['read', 'run', 'admin'] as const
export type Right = (typeof RIGHTS)[number]

/** The id of the key that the contract's own secret belongs to. */
export const DEFAULT_KEY = 'default'

/** What a key may submit; what is absent is not bounded. */
export interface RunBounds {
  /** Directories that jobs may run in, or below. */
  cwd?: readonly string[] | undefined
  /** Whole command lines, and scripts as `sha256:<hex>:<type>` of their content; without the type it is a shell script. */
  commands?: readonly string[] | undefined
  /** The longest timeout, in milliseconds, and the one of a job that asks for none. */
  timeoutMs?: number | undefined
  /** Whom its jobs may run as, as `user` or `user:group`; never as the agent's own user then. */
  users?: readonly string[] | undefined
  /** How many of its jobs may run at a time. */
  running?: number | undefined
}

/** Who asks. */
export interface Caller {
  /** Of the key that proves it. */
  id: string
  rights: ReadonlySet<Right>
  bounds: RunBounds
  /** The client's IP address; another word when it has none. */
  address: string
}

/** The same caller with one of their rights, if they have it; with all of them where none is named. */
export const withOnly = (caller: Caller, right: Right | undefined): Caller =>
  right === undefined
    ? caller
    : { ...caller, rights: new Set([...caller.rights].filter(one => one === right)) }

/** Whether somebody may see the output of a job that `owner` has submitted. */
export const mayReadOutput = ({ id, rights }: Caller, owner: string): boolean =>
  rights.has('read') || id === owner

/** Whether somebody may control a job that `owner` has submitted. */
export const mayControl = ({ id, rights }: Caller, owner: string): boolean =>
  rights.has('admin') || id === owner
