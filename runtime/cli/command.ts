/** Writes to standard output and standard error; resolves with the exit code. Rejects with UsageError. */
export type Command = (args: string[]) => Promise<number>

/** What was typed is wrong; the message is a line, and says what to type instead. */
export class UsageError extends Error {}
