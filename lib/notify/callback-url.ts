/**
 * The URL as it is asked for: normalized, without a fragment. Undefined for a text that is none to be called, or is too
 * long, as it is written or as it is called: each 汉 of a path becomes nine characters.
 */
export const callbackUrl = (text: string): URL | undefined => {
  if (text.length > LONGEST_URL) return undefined
  const url = URL.parse(text)
  if (!url || (url.protocol !== 'http:' && url.protocol !== 'https:')) return undefined
  // A name and a password would be told to whoever may look at the job.
  if (url.username !== '' || url.password !== '') return undefined
  url.hash = ''
  return url.href.length > LONGEST_URL ? undefined : url
}

export const LONGEST_URL = 2048

/** A query may hold what proves who may call the URL. */
export const withoutQuery = (url: string): string => url.replace(/[?#].*/s, '')
