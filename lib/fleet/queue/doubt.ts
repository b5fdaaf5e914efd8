/*
 * Whether the agent that runs a job is gone. The engine gives a message once more when its agent was silent for too
 * long, and also when the engine itself was away. So whoever is given the message of a job that runs elsewhere says so
 * in its record, and looks there several times: an agent that runs it takes that back, and so changes the record. It is
 * gone when the record is still the same after the last look, over one connection that did not break.
 *
 * No clock is read. An agent that was stopped itself does not skip a look, and one whose engine was away begins anew.
 */

/** What an agent that doubts has seen so far. */
export interface Doubt {
  /** Of the record, with the doubt in it. */
  revision: number
  /** Which connection it was written over. */
  connection: number
  /** How often the record was the same. */
  looks: number
}

export interface Look {
  revision: number
  connection: number
}

export const newDoubt = ({ revision, connection }: Look): Doubt => ({ revision, connection, looks: 0 })

/**
 * After another look: the doubt goes on, the run was `answered` for, it is `gone`, or nothing is known because the
 * connection was `broken` meanwhile.
 */
export const looked = (doubt: Doubt, look: Look): Doubt | 'answered' | 'gone' | 'broken' => {
  if (look.revision !== doubt.revision) return 'answered'
  if (look.connection !== doubt.connection) return 'broken'
  const looks = doubt.looks + 1
  return looks < LOOKS ? { ...doubt, looks } : 'gone'
}

/** The time between two looks, in milliseconds. All together are more than an agent that lives is ever silent for. */
export const lookMs = (ackWaitMs: number): number => Math.ceil(ackWaitMs / 2 / LOOKS)

/** The time between two words of an agent that runs a job, in milliseconds. */
export const wordMs = (ackWaitMs: number): number => ackWaitMs / 3

const LOOKS = 8
