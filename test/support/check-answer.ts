import type { CHANGE_DATA, EVENT_DATA } from '../../handlers/openapi/event-answer.ts'
import { OPEN_ROUTES, ROUTES } from '../../handlers/routes.ts'
import { faultsOf, type Json, openApi } from './answer-schemas.ts'

export interface GivenAnswer {
  method: string
  /** Of the URL, with or without its query. */
  path: string
  status: number
  headers: Headers
  /** Undefined when it was not read. */
  text?: string | undefined
}

/** What of an answer is not as /openapi.json has it, a sentence each; nothing when all is. */
export const checkAnswer = (answer: GivenAnswer): string[] => {
  const { method, path, status } = answer
  const pointer = responseOf(answer)
  const faults = pointer ? checkResponse(answer, pointer) : ['this status is not described']
  return faults.map(fault => `${method} ${path} ${status}: ${fault}`)
}

/** The same for one server-sent event, with all of its lines. */
export const checkEvent = (event: string): string[] => {
  const fields = Object.fromEntries(event.split('\n').map(line => line.split(/: (.*)/su)))
  const { event: name = '', id, data = '', ...others } = fields as Record<string, string>
  const schema = (EVENTS as Record<string, string>)[name]
  if (schema === undefined) return [`there is no event ${name}`]
  const value = JSON.parse(data)
  return [
    ...Object.keys(others).map(other => `there is no field ${other}`),
    ...(id === undefined || isIdOf(value, id) ? [] : [`the id ${id} is not the seq`]),
    ...faultsOf(['components', 'schemas', schema], value),
  ].map(fault => `event ${name}: ${fault}`)
}

/** Of a chunk its seq; of a change of a job its place among all changes. */
const isIdOf = ({ seq }: { seq?: number }, id: string): boolean =>
  seq === undefined ? /^[0-9a-f]{12}-\d+$/.test(id) : seq === Number(id)

const EVENTS: Record<keyof typeof EVENT_DATA | keyof typeof CHANGE_DATA, string> = {
  start: 'Job',
  stdout: 'OutputEvent',
  stderr: 'OutputEvent',
  dropped: 'DroppedEvent',
  end: 'Job',
  'caught-up': 'Job',
  job: 'JobChange',
  reset: 'ResetEvent',
  agent: 'AgentEvent',
}

type Pointer = string[]

const at = (pointer: Pointer): Json | undefined => {
  let json: Json | undefined = openApi
  for (const name of pointer) {
    json = json !== null && typeof json === 'object' && !Array.isArray(json) ? json[name] : undefined
  }
  return json
}

/** Where the document describes answers of that status; what is nobody's endpoint is refused as all are. */
const responseOf = ({ method, path, status }: GivenAnswer): Pointer | undefined => {
  const verb = method === 'HEAD' ? 'get' : method.toLowerCase()
  const route = [...OPEN_ROUTES, ...ROUTES].find(
    route => route.method === verb && patternOf(route.path).test(path.split('?')[0]!),
  )
  if (!route && status < 400) return undefined
  const responses = [
    'paths',
    (route?.path ?? '/api/agent').replace(':id', '{id}'),
    route?.method ?? 'get',
    'responses',
  ]
  const named = [...responses, String(status)]
  // What no route has is refused as all are, and any may fail; else a route names each status that it answers with.
  const isUnexpected = !route || status === 500
  const pointer = at(named) ? named : isUnexpected ? [...responses, 'default'] : undefined
  const ref = pointer && at([...pointer, '$ref'])
  return typeof ref === 'string' ? ref.slice('#/'.length).split('/') : pointer
}

const patternOf = (path: string): RegExp => new RegExp(`^${path.replace(':id', '[^/]+')}/?$`)

const checkResponse = ({ method, headers, text }: GivenAnswer, pointer: Pointer): string[] => {
  const type = (headers.get('content-type') ?? '').split(';')[0]!
  const media = [...pointer, 'content', type]
  const faults = headerFaults(headers, pointer)
  if (!at(media)) return [...faults, `the content type ${type} is not described`]
  if (method === 'HEAD' || text === undefined || type !== 'application/json') return faults
  return [...faults, ...faultsOf([...media, 'schema'], JSON.parse(text))]
}

/** Of those that are the agent's own. */
const headerFaults = (headers: Headers, pointer: Pointer): string[] =>
  OWN_HEADERS.flatMap(name => {
    const value = headers.get(name)
    const described = at([...pointer, 'headers', name])
    if (value === null) return isRequired(described) ? [`the header ${name} is missing`] : []
    if (!described) return [`the header ${name} is not described`]
    return faultsOf([...pointer, 'headers', name, 'schema'], value).map(fault => `header ${name}: ${fault}`)
  })

const isRequired = (header: Json | undefined): boolean =>
  header !== null && typeof header === 'object' && !Array.isArray(header) && header.required === true

const OWN_HEADERS = ['X-Job-Id', 'Retry-After', 'WWW-Authenticate', 'Allow', 'Content-Range', 'Accept-Ranges']
