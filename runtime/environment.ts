import { isReservedVariable } from '../lib/jobs/environment.ts'

/** What a job inherits of the agent's environment: all but the agent's settings and what npm and node.sh added. */
export const jobEnvironment = (environment: NodeJS.ProcessEnv): Record<string, string> => {
  const underNpm = environment.npm_lifecycle_event !== undefined
  const env: Record<string, string> = {}
  for (const [name, value] of Object.entries(environment)) {
    if (value === undefined || isReservedVariable(name)) continue
    if (underNpm && (name.startsWith('npm_') || ADDED_BY_NPM.has(name))) continue
    if (underNpm && name === 'EDITOR' && value === NPMS_EDITOR) continue
    if (name === 'NODE_COMPILE_CACHE' && value.endsWith(OWN_COMPILE_CACHE)) continue
    env[name] = underNpm && name === 'PATH' ? withoutNpm(value) : value
  }
  return env
}

/** What npm sets where nobody has set one. */
const NPMS_EDITOR = 'vi'

const ADDED_BY_NPM = new Set(['INIT_CWD', 'NODE', 'COLOR'])

/** A job that runs Node must not write beside the agent's program. */
const OWN_COMPILE_CACHE = '/newdt-auto'

/** npm puts each node_modules/.bin on the way up, and a directory of its own, in front. */
const withoutNpm = (path: string): string => {
  const entries = path.split(':')
  const first = entries.findIndex(entry => !/\/(node_modules\/\.bin|node-gyp-bin)$/.test(entry))
  return entries.slice(Math.max(first, 0)).join(':')
}
