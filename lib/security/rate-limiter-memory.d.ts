/** The one file that is used: the package's index loads clients for twenty stores. */
declare module 'rate-limiter-flexible/lib/RateLimiterMemory.js' {
  // biome-ignore lint/style/noDefaultExport: the file has one.
  export { RateLimiterMemory as default } from 'rate-limiter-flexible'
}
