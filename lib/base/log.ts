/** What the agent says to whoever runs it; pino's interface, as far as it is used. */
export interface Log {
  info(fields: object, message: string): void
  warn(fields: object, message: string): void
  error(fields: object, message: string): void
}
