import assert from 'node:assert/strict'
import { globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'

const ROOT = join(import.meta.dirname, '../../../runtime/console')

const selectorsOf = (css: string): string[] =>
  [...css.replace(/\/\*.*?\*\//gs, '').matchAll(/(?:^|[{}])\s*([^{}@]+)\{/g)].flatMap(([, list]) =>
    list!.split(/,(?![^(]*\))/).map(selector => selector.trim()),
  )

/** The class that it begins with, if nothing but that says where it holds: of `.slots i` and `i.slots`, not of `.state.failed`. */
const bareClassOf = (selector: string): string | undefined => {
  const [outermost = ''] = selector.split(/[\s>+~]/)
  const classes = outermost.match(/\.[\w-]+/g) ?? []
  return classes.length === 1 ? classes[0] : undefined
}

/** By class, the stylesheets in which it is bare. */
const placesOf = (sheets: Map<string, string>): Map<string, Set<string>> => {
  const places = new Map<string, Set<string>>()
  for (const [sheet, css] of sheets)
    for (const name of selectorsOf(css).map(bareClassOf)) {
      if (name !== undefined) places.set(name, (places.get(name) ?? new Set()).add(sheet))
    }
  return places
}

const inSeveral = (sheets: Map<string, string>): string[] =>
  [...placesOf(sheets)]
    .filter(([, { size }]) => size > 1)
    .map(([name, at]) => `${name}: ${[...at].join(', ')}`)

test('no class stands bare in two stylesheets: one would change what belongs to the other', () => {
  const sheets = new Map(
    globSync('**/*.css', { cwd: ROOT }).map(file => [file, readFileSync(join(ROOT, file), 'utf8')] as const),
  )
  assert.ok(placesOf(sheets).size > 50)
  assert.deepEqual(inSeveral(sheets), [])
})

test('such a class is found, wherever it stands in a stylesheet', () => {
  const found = (one: string, other: string) => inSeveral(new Map(Object.entries({ one, other })))
  const names = ['.marks: one, other']
  assert.deepEqual(found('.marks { color: red }', 'p { } .a, span.marks:hover > i { }'), names)
  assert.deepEqual(found('.marks { }', '@media (max-width: 9px) { .b { } .marks { } }'), names)
  assert.deepEqual(found('.marks { }', '.slots .marks { } .slots.marks { } /* .marks { } */'), [])
})
