/** The agent cannot start, for a reason that whoever starts it can mend; the message is one line. */
export class StartupError extends Error {}

/** Does what the start needs. Rejects with StartupError, which says what it was about. */
export const orStartupError = async <T>(what: string, action: () => Promise<T>): Promise<T> => {
  try {
    return await action()
  } catch (error) {
    throw new StartupError(`${what}: ${(error as Error).message}`)
  }
}
