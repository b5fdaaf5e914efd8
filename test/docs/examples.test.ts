import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { checkExamples, examplesOf } from './examples.ts'
import { parsePage } from './parse-page.ts'

const fence = (language: string, ...lines: string[]): string =>
  [`\`\`\`${language}`, ...lines, '```', ''].join('\n')
const page = (...parts: string[]) => parsePage('README.md', parts.join('\n'))

describe('the examples of a page', () => {
  test('are its bash blocks, and what stands right behind is what they print', () => {
    const examples = examplesOf(
      page(
        fence('bash', 'echo one'),
        fence('text', 'one'),
        fence('bash', 'true'),
        'It prints:\n',
        fence('text', 'x'),
      ),
    )
    assert.deepEqual(examples, [
      { line: 1, language: 'bash', code: 'echo one', shown: { line: 6, text: 'one' }, status: 0 },
      { line: 9, language: 'bash', code: 'true', shown: undefined, status: 0 },
    ])
  })

  test('are not those that say why they are not run', () => {
    assert.deepEqual(examplesOf(page('<!-- not run: nginx -->', fence('bash', 'nginx'))), [])
  })

  test('are not those that need a program that is not there', () => {
    const examples = examplesOf(
      page(
        '<!-- needs bash -->',
        fence('bash', 'echo one'),
        '<!-- needs no-such-program -->',
        fence('bash', 'two'),
      ),
    )
    assert.deepEqual(
      examples.map(({ code }) => code),
      ['echo one'],
    )
  })

  test('are in other languages where the page says so', () => {
    const examples = examplesOf(
      page(
        '<!-- run -->',
        fence('ts', '1'),
        fence('ts', '2'),
        '<!-- run -->',
        fence('python', '3'),
        fence('json', '4'),
      ),
    )
    assert.deepEqual(
      examples.map(({ language, code }) => language + code),
      ['ts1', 'python3'],
    )
  })

  test('may say how they exit', () => {
    const [example] = examplesOf(page(fence('bash', '# exits with 3', 'exit 3')))
    assert.equal(example!.status, 3)
  })
})

describe('a page that would leave out an example by mistake', () => {
  const faultsOf = (...parts: string[]): string[] => checkExamples(page(...parts))

  test('is told so', () => {
    assert.match(faultsOf(fence('sh', 'true'))[0]!, /^README\.md:1: write ```bash/)
    assert.match(faultsOf('<!-- not run -->', fence('bash', 'true'))[0]!, /^README\.md:2: say why/)
    assert.match(faultsOf('<!-- run -->', fence('json', '1'))[0]!, /is for ts and python/)
    assert.match(faultsOf('<!-- needs bash -->', fence('text', 'x'))[0]!, /unknown: <!-- needs bash -->/)
    assert.match(faultsOf('<!-- norun: x -->', fence('bash', 'true'))[0]!, /unknown: <!-- norun: x -->/)
  })

  test('is not any other', () => {
    assert.deepEqual(
      faultsOf(
        fence('bash', 'true'),
        fence('json', '1'),
        '<!-- not run: needs two hosts -->',
        fence('bash', 'true'),
        '<!-- needs bash -->',
        fence('bash', 'true'),
        '<!-- run -->',
        fence('ts', '1'),
      ),
      [],
    )
  })
})
