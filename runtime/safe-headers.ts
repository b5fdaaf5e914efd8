/**
 * For a browser that shows an answer: what a job has written is no page, runs nothing, is not kept, and is nobody
 * else's to read (there is no CORS header).
 */
export const SAFE_HEADERS = {
  'X-Content-Type-Options': 'nosniff',
  'Cache-Control': 'no-store',
  'Content-Security-Policy': "default-src 'none'; frame-ancestors 'none'",
}
