import { ClientError } from './result.ts'

/** Rejects with SyntaxError for what is no JSON, or more than any agent answers. */
export const readJson = async (response: Response): Promise<unknown> => {
  const decoder = new TextDecoder()
  const parts: string[] = []
  let bytes = 0
  // Leaving the loop lets go of the connection.
  for await (const chunk of chunksOf(response)) {
    bytes += chunk.length
    if (bytes > MOST_BYTES) throw new SyntaxError('the answer is too large')
    parts.push(decoder.decode(chunk, { stream: true }))
  }
  return JSON.parse(parts.join('') + decoder.decode())
}

/** The `data` of an answer; undefined when it is not in the envelope. */
export const dataOf = (answer: unknown): { data: unknown } | undefined => {
  const isEnvelope = typeof answer === 'object' && answer !== null && 'success' in answer && 'data' in answer
  return isEnvelope && answer.success === true && answer.data !== null ? { data: answer.data } : undefined
}

/** A stream is not iterable in every browser. */
async function* chunksOf({ body }: Response): AsyncGenerator<Uint8Array> {
  const reader = body?.getReader()
  if (!reader) return
  let isOver = false
  try {
    for (let next = await reader.read(); !next.done; next = await reader.read()) yield next.value
    isOver = true
  } finally {
    // Chromium takes one that is over for broken off, and gives up its connection.
    if (!isOver) await reader.cancel().catch(() => {})
  }
}

/** A job with 16 MB of output, each byte of which may be an escape of six. */
const MOST_BYTES = 128 * 1024 ** 2

/** Why a request was refused; `not-an-agent` when it is no agent that says so. Rejects when the connection breaks. */
export const errorOf = async (response: Response): Promise<ClientError> => {
  const { status } = response
  const answer = await readJson(response).catch(error => {
    // A connection that broke, or was let go of, says nothing of who has answered.
    if (!(error instanceof SyntaxError)) throw error
  })
  if (!isFailure(answer)) return notAnAgent(status)
  const seconds = Number(response.headers.get('retry-after') ?? Number.NaN)
  const retryAfterMs = Number.isNaN(seconds) ? undefined : seconds * 1000
  // A rejection has no word: it is as the contract gives it.
  return new ClientError(answer.error ?? 'too-many-jobs', answer.msg, {
    status,
    retryAfterMs,
    jobId: answer.id,
  })
}

const isFailure = (answer: unknown): answer is { msg: string; error?: string; id?: string } =>
  typeof answer === 'object' && answer !== null && 'msg' in answer && typeof answer.msg === 'string'

export const notAnAgent = (status: number): ClientError =>
  new ClientError('not-an-agent', `the answer (HTTP ${status}) is not that of an agent`, {
    status,
    // A proxy says so, and may have passed the request on.
    mayBeDone: status >= 502 && status <= 504,
  })
