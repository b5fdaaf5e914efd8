import type { IncomingMessage, ServerResponse } from 'node:http'

/** What the handlers use of a Request, by Node's own objects; an answer must be whole. */
export const createServerAdapter = (
  handle: (request: object, context: { req: IncomingMessage; res: ServerResponse }) => Promise<Response>,
) => {
  const answer = async (req: IncomingMessage, res: ServerResponse): Promise<void> => {
    const response = await handle(requestOf(req), { req, res })
    const body = Buffer.from(await response.arrayBuffer())
    // Three arguments: the agent's own ServerResponse takes no fewer.
    res.writeHead(response.status, '', Object.fromEntries(response.headers))
    res.end(body)
  }
  return { requestListener: (req: IncomingMessage, res: ServerResponse) => void answer(req, res) }
}

const requestOf = (req: IncomingMessage) => ({
  method: req.method,
  url: `http://localhost${req.url}`,
  headers: {
    get: (name: string) => req.headers[name.toLowerCase()] ?? null,
    has: (name: string) => name.toLowerCase() in req.headers,
  },
  signal: NEVER,
  bytes: async () => Buffer.concat(await req.toArray()),
})

const NEVER = new AbortController().signal
