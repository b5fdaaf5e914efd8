import { createDocument, type ZodOpenApiOverride, type ZodOpenApiPathsObject } from 'zod-openapi'
import type { OpenRoute, Route } from '../route.ts'
import { CHANGE_DATA, EVENT_DATA } from './event-answer.ts'
import { createRefusals } from './failures.ts'
import { operationOf } from './operation-of.ts'
import { SECURITY, SECURITY_SCHEMES } from './security.ts'

/** The endpoints of a route table as an OpenAPI document. */
export const createOpenApi = (routes: readonly (Route | OpenRoute)[], version: string) =>
  createDocument(
    {
      openapi: '3.1.1',
      info: {
        title: 'newdt-auto',
        version,
        description: DESCRIPTION,
        license: { name: 'MIT', identifier: 'MIT' },
      },
      servers: [{ url: '/' }],
      security: SECURITY,
      tags: TAGS,
      paths: pathsOf(routes),
      components: {
        securitySchemes: SECURITY_SCHEMES,
        schemas: {
          OutputEvent: EVENT_DATA.stdout,
          DroppedEvent: EVENT_DATA.dropped,
          JobChange: CHANGE_DATA.job,
          ResetEvent: CHANGE_DATA.reset,
          AgentEvent: CHANGE_DATA.agent,
        },
      },
    },
    // Nothing says by itself what a schema of one's own is like; its metadata does.
    { allowEmptySchema: { custom: true }, override: leaveOpen },
  )

const pathsOf = (routes: readonly (Route | OpenRoute)[]): ZodOpenApiPathsObject => {
  const refusals = createRefusals()
  return Object.fromEntries(
    routes.map(route => [
      route.path.replace(':id', '{id}'),
      { [route.method]: operationOf(route, refusals) },
    ]),
  )
}

/** Fields may be added to answers, so a client must let them pass; only what is strict has those that it has. */
const leaveOpen: ZodOpenApiOverride = ({ jsonSchema, zodSchema, io }) => {
  const { def } = zodSchema._zod
  if (io === 'output' && def.type === 'object' && !def.catchall) delete jsonSchema.additionalProperties
}

const TAGS = [
  { name: 'jobs', description: 'Commands and scripts that are run.' },
  { name: 'output', description: 'What they write.' },
  { name: 'agent', description: 'The agent itself.' },
]

const DESCRIPTION = `An agent that runs commands and scripts on its host.

Every JSON answer is \`{code, success, msg, data}\`; that of a failure has a word for programs, \`error\`, besides. \
\`HEAD\` works wherever \`GET\` does. An unknown parameter of a query, or field of a body, is refused. Fields may be \
added to answers, never changed or removed. There is no time limit for an answer, and a client that goes away does \
not stop its job. No answer is to be kept (\`Cache-Control: no-store\`), and none is for another site.`
