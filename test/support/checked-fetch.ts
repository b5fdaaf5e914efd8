import assert from 'node:assert/strict'
import { after } from 'node:test'
import { checkAnswer, checkEvent, type GivenAnswer } from './check-answer.ts'

/**
 * From now on each answer that the agent at this URL gives to a fetch of this process must be as /openapi.json has it,
 * whoever asks: a test, or the client. What is not is told when the tests of the file have run.
 */
export const checkAnswersOf = (url: string): void => {
  origins.add(new URL(url).origin)
}

/** The same for an answer that came by another way, such as curl. */
export const noteAnswer = (answer: GivenAnswer): void => note(checkAnswer(answer))

const origins = new Set<string>()
const faults = new Set<string>()
const reading = new Set<Promise<void>>()
after(async () => {
  await Promise.all(reading)
  assert.deepEqual([...faults], [], 'all answers are as /openapi.json describes them')
})

const note = (found: string[]): void => {
  for (const fault of found) faults.add(fault)
}

const { fetch: plainFetch } = globalThis
globalThis.fetch = async (input, init) => {
  const response = await plainFetch(input, init)
  const { url, method } =
    input instanceof Request ? input : { url: String(input), method: init?.method ?? 'GET' }
  const { origin, pathname } = new URL(url)
  return origins.has(origin) && !isOfConsole(pathname)
    ? checked(response, method.toUpperCase(), pathname)
    : response
}

/** Its page and files are for browsers, and no part of the API. */
const isOfConsole = (path: string): boolean => path === '/' || path.startsWith('/console/')

const checked = (response: Response, method: string, path: string): Response => {
  const { status, headers } = response
  const type = headers.get('content-type') ?? ''
  if (type.startsWith('application/json') && method !== 'HEAD') {
    const read = response.clone().text()
    const done = read.then(
      text => noteAnswer({ method, path, status, headers, text }),
      () => {}, // Broken off: so it is for the test too.
    )
    reading.add(done)
    return response
  }
  noteAnswer({ method, path, status, headers })
  if (!type.startsWith('text/event-stream') || !response.body) return response
  const passed = new Response(response.body.pipeThrough(eventCheck(path)), response)
  return Object.defineProperty(passed, 'url', { value: response.url })
}

/** Lets a stream of events pass and looks at each that is whole. */
const eventCheck = (path: string): TransformStream<Uint8Array, Uint8Array> => {
  const decoder = new TextDecoder()
  let text = ''
  return new TransformStream({
    transform(chunk, controller) {
      controller.enqueue(chunk)
      text += decoder.decode(chunk, { stream: true })
      const blocks = text.split('\n\n')
      text = blocks.pop()!
      for (const block of blocks) {
        if (!block.startsWith(':')) note(checkEvent(block).map(fault => `${path}: ${fault}`))
      }
    },
  })
}
