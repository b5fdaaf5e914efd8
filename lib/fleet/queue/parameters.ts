/** How a queued job is to be run; part of what its submitter signs. */
export interface QueueParameters {
  /** It is run once at most: where its agent dies, it is told as lost. */
  once: boolean
  /** How many runs it may have until one has come to an end. */
  tries: number
  /** How many jobs of its label that have a limit may run at a time, over the whole fleet; null for any number. */
  limit: number | null
}

export const DEFAULT_PARAMETERS: QueueParameters = { once: false, tries: 3, limit: null }

export const MOST_TRIES = 20
export const MOST_LIMIT = 100

export const areParameters = ({ tries, limit }: QueueParameters): boolean =>
  isWithin(tries, MOST_TRIES) && (limit === null || isWithin(limit, MOST_LIMIT))

/** As a query has them, without the "?"; what is the default is left out. */
export const parametersText = ({ once, tries, limit }: QueueParameters): string =>
  [
    ...(once ? ['once=true'] : []),
    ...(tries === DEFAULT_PARAMETERS.tries ? [] : [`tries=${tries}`]),
    ...(limit === null ? [] : [`limit=${limit}`]),
  ].join('&')

/**
 * Undefined for a query that has anything else, a name twice, or a number in another form than its own: what was signed
 * is either understood whole or not at all.
 */
export const parseParameters = (query: string): QueueParameters | undefined => {
  const parameters = { ...DEFAULT_PARAMETERS }
  const seen = new Set<string>()
  for (const part of query === '' ? [] : query.split('&')) {
    const [, name, value] = /^(once|tries|limit)=([a-z0-9]{1,5})$/.exec(part) ?? []
    if (name === undefined || value === undefined || seen.has(name)) return undefined
    seen.add(name)
    if (name === 'once') {
      if (value !== 'true' && value !== 'false') return undefined
      parameters.once = value === 'true'
    } else {
      if (!/^[1-9]\d{0,2}$/.test(value)) return undefined
      parameters[name as 'tries' | 'limit'] = Number(value)
    }
  }
  return areParameters(parameters) ? parameters : undefined
}

const isWithin = (value: number, most: number): boolean =>
  Number.isInteger(value) && value >= 1 && value <= most
