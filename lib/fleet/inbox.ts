/** A part of a subject that nobody can guess: whoever is to publish there has been told it. */
export const newToken = (): string =>
  Array.from(crypto.getRandomValues(new Uint8Array(16)), byte => byte.toString(16).padStart(2, '0')).join('')

/**
 * The beginning of subjects to be answered on. The library's own are counted up: who has seen one knows the next, and
 * often may publish there.
 */
export const newInbox = (prefix: string): string => `${prefix}.${newToken()}`

/**
 * Whether something may be published there because somebody has named it as a reply subject. Whoever names one would
 * else have others publish with rights that they may not have themselves; and the engine cuts off whoever sends it a
 * line of 4 KB, of which a subject is a part.
 */
export const isReplySubject = (subject: string | undefined): subject is string =>
  subject !== undefined && subject.length <= LONGEST_REPLY && PLAIN.test(subject) && !OWN.test(subject)

/** Throws TypeError for a beginning of subjects on which no agent answers. */
export const refuseUnfit = (prefix: string): void => {
  if (prefix.length > LONGEST_INBOX_PREFIX || !isReplySubject(prefix))
    throw new TypeError(
      `inbox: must be the beginning of a subject, such as _INBOX.alice, of at most ${LONGEST_INBOX_PREFIX} characters`,
    )
}

/** Those that begin with `$` are the engine's own. */
const PLAIN = /^[\w%=-]+(?:\.[\w%=-]+)*$/
const OWN = /^newdt\./i
const LONGEST_REPLY = 256
/** With what is appended to it, it must still be a reply subject. */
export const LONGEST_INBOX_PREFIX = 128
