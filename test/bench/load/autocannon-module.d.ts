/** As far as it is used here. */
declare module 'autocannon' {
  interface Options {
    url: string
    method: string
    headers: Record<string, string>
    body?: string
    connections: number
    /** Seconds. */
    duration: number
    /** How often it looks at the clock, in milliseconds. */
    sampleInt: number
    /** Called for each request; it gets what the options say, and returns what is sent. */
    requests?: { setupRequest(request: object): object }[]
    excludeErrorStats?: boolean
  }

  interface Result {
    errors: number
    timeouts: number
    non2xx: number
  }

  interface Instance extends PromiseLike<Result> {
    on(event: 'response', heard: (client: object, status: number, bytes: number, ms: number) => void): this
  }

  const autocannon: (options: Options) => Instance
  export = autocannon
}
