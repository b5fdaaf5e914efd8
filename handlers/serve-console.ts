import { Response } from '@whatwg-node/fetch'
import { refusal } from './http/refusal.ts'
import type { Context, Handler } from './services.ts'

/**
 * The console's page at `/`, and its files. They hold nothing that is secret, so they need no signature; what they show
 * they ask for as any other client.
 */
export const serveConsole: Handler<Context> = async (request, services) => {
  const { file = '' } = request.params
  const found = await services.console?.find(file)
  if (!found) throw refusal('unknown-endpoint')
  const isGzipped = GZIP.test(request.headers.get('accept-encoding') ?? '')
  const body = isGzipped ? found.gzipped : found.bytes
  return new Response(body, {
    headers: {
      'Content-Type': found.type,
      'Content-Length': String(body.length),
      ...(isGzipped ? { 'Content-Encoding': 'gzip' } : {}),
      Vary: 'Accept-Encoding',
      ...(found.isPage ? PAGE_HEADERS : FILE_HEADERS),
    },
  })
}

const GZIP = /(^|,)\s*(gzip|\*)\s*(;\s*q=(?!0(\.0*)?\s*(,|$))[^,]*)?(,|$)/i

/** Scripts and styles from here alone, none within the page; no text is ever taken for markup. */
const CONTENT_SECURITY_POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self'",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
  "require-trusted-types-for 'script'",
  "trusted-types 'none'",
].join('; ')

const PAGE_HEADERS = {
  'Cache-Control': 'no-cache',
  'Content-Security-Policy': CONTENT_SECURITY_POLICY,
  'Cross-Origin-Opener-Policy': 'same-origin',
  'Referrer-Policy': 'no-referrer',
}

/** The name of a file changes with what is in it. */
const FILE_HEADERS = { 'Cache-Control': 'public, max-age=31536000, immutable' }
