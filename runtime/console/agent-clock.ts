import { signal } from '@preact/signals'

/** How far the agent's clock is ahead of the browser's, in milliseconds: all times of jobs are by the agent's. */
export const clockAhead = signal(0)

/** The time of the agent, in milliseconds. */
export const agentNow = (): number => Date.now() + clockAhead.peek()

/** For who signs in next: it may be another agent by then. */
export const forgetClock = (): void => {
  clockAhead.value = 0
}

/** `fetch`, which also compares the clocks. */
export const fetchFromAgent = async (url: string, init: RequestInit): Promise<Response> => {
  const sent = Date.now()
  const response = await fetch(url, init)
  const date = Date.parse(response.headers.get('date') ?? '')
  if (!Number.isNaN(date)) clockAhead.value = aheadBy({ date, sent, received: Date.now() }, clockAhead.peek())
  return response
}

/**
 * By how much the clock of who has answered is ahead: as far from what was known as it must be. `date` is in whole
 * seconds, and was written between sending and receiving.
 */
export const aheadBy = (
  { date, sent, received }: { date: number; sent: number; received: number },
  known: number,
): number => {
  const least = date - received
  const most = Math.max(least, date + 999 - sent)
  // Clocks that may be the same are taken to be.
  const guess = least <= 0 && most >= 0 ? 0 : known
  return Math.min(most, Math.max(least, guess))
}
