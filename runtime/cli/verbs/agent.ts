import { type Verb, verb } from '../verb.ts'

/** The launcher starts the agent itself, so that it never loads the command line: this is its help. */
export const agent: Verb = () =>
  verb('agent', 'start the agent here; its settings are AGENT_* (docs/configuration.md)', [
    'newdt agent',
    'AGENT_SECRET_FILE=/etc/newdt-auto.secret AGENT_PORT=8443 newdt agent',
  ])
