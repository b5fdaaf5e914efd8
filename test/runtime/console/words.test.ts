import assert from 'node:assert/strict'
import { globSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { test } from 'node:test'
import { ROOT } from '../../support/agent.ts'

const CONSOLE = join(ROOT, 'runtime/console')
const SOURCES = globSync('**/*.ts', { cwd: CONSOLE }).map(path => ({
  path,
  text: readFileSync(join(CONSOLE, path), 'utf8'),
}))

/** Under which name a file knows the words of another; undefined when it does not. */
const nameIn = ({ path, text }: (typeof SOURCES)[number], words: string): string | undefined => {
  const imports = text.matchAll(/import \{ (\w*[wW]ords)(?: as (\w+))? \} from '([^']+)'/g)
  const found = [...imports].find(([, , , from]) => join(dirname(path), from!) === words)
  return found && (found[2] ?? found[1])
}

/** `words.run`, `{ run } = words`, or the name in quotes where the file also has `words[…]`. */
const uses = (text: string, words: string, name: string): boolean =>
  new RegExp(`\\b${words}\\??\\.${name}\\b|\\{[^{}]*\\b${name}\\b[^{}]*\\} = ${words}\\b`).test(text) ||
  (text.includes(`${words}[`) && text.includes(`'${name}'`))

test('each word of the console is said somewhere', async () => {
  const unused: string[] = []
  for (const { path } of SOURCES.filter(({ path }) => /(^|[/-])words\.ts$/.test(path))) {
    const [words] = Object.values<object>(await import(join(CONSOLE, path)))
    const users = SOURCES.flatMap(source => {
      const name = nameIn(source, path)
      return name === undefined ? [] : [{ text: source.text, name }]
    })
    for (const word of Object.keys(words!))
      if (!users.some(({ text, name }) => uses(text, name, word))) unused.push(`${path}: ${word}`)
  }
  assert.deepEqual(unused, [])
})
