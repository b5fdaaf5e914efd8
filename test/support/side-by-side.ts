import { describe, type TestContext, type TestOptions, test } from 'node:test'

type Run = (context: TestContext) => Promise<void>

/**
 * `test` for the tests of a file that have nothing in common and mostly wait for real agents and engines: so many of
 * them run at a time.
 */
export const sideBySide = (name: string, atOnce: number) => {
  const tests: [name: string, options: TestOptions, run: Run][] = []
  // By then the file has been read to its end.
  setImmediate(() =>
    describe(name, { concurrency: atOnce }, () => {
      for (const one of tests) test(...one)
    }),
  )
  return (...one: (typeof tests)[number]): void => void tests.push(one)
}
