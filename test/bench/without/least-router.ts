type Handler = (request: Asked, ...args: unknown[]) => unknown

interface Asked {
  method: string
  url: string
  params: Record<string, string>
  query: Record<string, string>
  route?: string
}

/** Whole paths are looked up in a table; what stands for all of them comes first, as the agent has it. */
export const Router = () => {
  const byPath = new Map<string, Handler>()
  let forAll: Handler | undefined
  const add = (method: string) => (path: string, handler: Handler) => {
    if (path === '*') forAll ??= handler
    else if (method !== 'all') byPath.set(`${method} ${path}`, handler)
    return router
  }
  const router = {
    get: add('get'),
    head: add('head'),
    post: add('post'),
    all: add('all'),
    async fetch(request: Asked, ...args: unknown[]) {
      const { url } = request
      const from = url.indexOf('/', 8)
      const to = url.indexOf('?', from)
      const path = url.slice(from, to < 0 ? undefined : to)
      request.params = {}
      request.query = {}
      request.route = path
      const handler = byPath.get(`${request.method.toLowerCase()} ${path}`) ?? forAll
      return handler!(request, ...args)
    },
  }
  return router
}
