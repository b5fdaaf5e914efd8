import { globSync, readFileSync, rmSync, writeFileSync } from 'node:fs'

/**
 * Makes the client's declaration files such that they need nothing else: neither zod nor Node's types. The client's
 * own types are those of the handlers' schemas; here the compiler writes out what they come to. `ask` puts the
 * question into dist/written.ts, the compiler answers in dist/declarations, and `answer` puts all into dist/lib/client.
 * Those of a fleet, which need the client's and the engine's, go into dist/lib/fleet.
 */
const SOURCE = 'lib/client/types.ts'
const QUESTION = 'dist/written.ts'
const DECLARATIONS = 'dist/declarations'

/**
 * The compiler writes out the type of a value that has no annotation, but for what has a name: so each level is made
 * anew by a mapped type, and each literal string gets a mark, which is taken off what was written.
 */
const MARK = '~'
const WRITTEN = `import type * as types from "../${SOURCE}"
type Written<T> = T extends string
  ? string extends T ? T : \`${MARK}\${T}\`
  : T extends number | boolean | null | undefined | Uint8Array
    ? T
    : T extends infer Known ? { [Name in keyof Known]: Written<Known[Name]> } : never
const written = <T>() => undefined as unknown as { [Name in keyof T]: Written<T[Name]> }
`

const ask = (): void => {
  const names = [...readFileSync(SOURCE, 'utf8').matchAll(/^export type (\w+)/gm)].map(([, name]) => name)
  const values = names.map(name => `export const ${name} = written<types.${name}>()\n`)
  writeFileSync(QUESTION, WRITTEN + values.join(''))
}

const answer = (): void => {
  const written = readWritten()
  for (const path of globSync('lib/{client,fleet}/**/*.d.ts', { cwd: DECLARATIONS })) {
    const given = readFileSync(`${DECLARATIONS}/${path}`, 'utf8')
    const whole = path.endsWith('/types.d.ts') ? writeOut(given, written) : given
    const text = whole.replace(/(from '\.[\w./-]+)\.ts'/g, "$1.js'")
    const foreign = (path.startsWith('lib/client/') ? FOREIGN : FOREIGN_TO_FLEET).exec(text)
    if (foreign) throw new Error(`${path} needs more than the client: ${foreign[0]}`)
    writeFileSync(`dist/${path}`, text)
  }
  rmSync(DECLARATIONS, { recursive: true })
  rmSync(QUESTION)
}

/** What would have to be there besides the client: another's module, or another's declarations. */
const FOREIGN = /\bfrom ['"](?!\.\/[\w-]+\.js').*|\bimport\(.*|^\/\/\/ *<.*/m
/** A fleet's may name the engine's own, which are installed with the package. */
const FOREIGN_TO_FLEET = /\bfrom ['"](?!(?:\.[\w./-]+\.js|@nats-io\/[\w-]+)').*|\bimport\(.*|^\/\/\/ *<.*/m

const readWritten = (): Map<string, string> => {
  const text = readFileSync(`${DECLARATIONS}/dist/written.d.ts`, 'utf8').replaceAll(`"${MARK}`, '"')
  return new Map([...text.matchAll(VALUE)].map(([, name, type]) => [name!, type!]))
}

/** Puts what was written out in the place of what names an import; that of the client's own names stays. */
const writeOut = (types: string, written: Map<string, string>): string => {
  const imported = [...types.matchAll(/^import type \{ (.+) \}/gm)].flatMap(([, names]) => names!.split(', '))
  const needsImport = new RegExp(`\\b(${imported.join('|')})\\b`)
  return types.replace(/^import .*\n/gm, '').replace(TYPE, (whole, name: string, type: string) => {
    if (!needsImport.test(type)) return whole
    if (!written.has(name)) throw new Error(`the compiler has not written out ${name}`)
    return `export type ${name} = ${written.get(name)};`
  })
}

/** `export declare const Job: {…};` */
const VALUE = /^export declare const (\w+): (.*?);$(?=\n(?:export|declare|$))/gms
/** `export type Job = …;` */
const TYPE = /^export type (\w+) = (.*?);$(?=\n(?:export|\/\*\*|$))/gms

if (process.argv[2] === 'ask') ask()
else answer()
