import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'

/** Answers with what `dataOf` has for a path and the body, to whoever asks; `env` is for a newdt that asks it. */
export const fakeAgent = async (dataOf: (path: string, body: string) => unknown) => {
  const server = createServer(async (request, response) => {
    const body = (await request.setEncoding('utf8').toArray()).join('')
    const { pathname } = new URL(request.url!, 'http://agent')
    response.end(JSON.stringify({ code: 0, success: true, msg: '', data: dataOf(pathname, body) }))
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  return {
    env: { NEWDT_SECRET: 's', NEWDT_HOST: url },
    [Symbol.dispose]() {
      server.closeAllConnections()
      server.close()
    },
  }
}
