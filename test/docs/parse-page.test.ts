import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { parsePage } from './parse-page.ts'

const MARKDOWN = `# One \`two\`

See [three](api.md#four), 5 of them, and \`six\`.

<a id="seven"></a>
<img src="docs/eight.svg">

<!-- not run: no systemd -->
\`\`\`bash
nine 10
\`\`\`
\`\`\`text
eleven
\`\`\`

Between.

\`\`\`
twelve
\`\`\`

| 13 | fourteen |
| -- | -------- |
| \`15\` | 16 |

## Seventeen
`

describe('a page', () => {
  const page = parsePage('README.md', MARKDOWN)

  test('has headings with their levels and lines', () => {
    assert.deepEqual(page.headings, [
      { line: 1, level: 1, text: 'One two' },
      { line: 26, level: 2, text: 'Seventeen' },
    ])
  })

  test('has links, also those of HTML, and anchors', () => {
    assert.deepEqual(page.links, [
      { line: 3, url: 'api.md#four' },
      { line: 6, url: 'docs/eight.svg' },
    ])
    assert.deepEqual(page.htmlAnchors, ['seven'])
  })

  test('has blocks of code, with the comment right before, and whether they follow one another', () => {
    assert.deepEqual(page.blocks, [
      { line: 9, language: 'bash', code: 'nine 10', directive: 'not run: no systemd', followsBlock: false },
      { line: 12, language: 'text', code: 'eleven', directive: undefined, followsBlock: true },
      { line: 18, language: '', code: 'twelve', directive: undefined, followsBlock: false },
    ])
  })

  test('has tables with every line of theirs', () => {
    assert.deepEqual(page.tables, [
      [
        { line: 22, text: '| 13 | fourteen |' },
        { line: 23, text: '| -- | -------- |' },
        { line: 24, text: '| `15` | 16 |' },
      ],
    ])
  })

  test('has prose that is neither code nor address, and inline code', () => {
    assert.doesNotMatch(page.prose.map(({ text }) => text).join(), /six|api|10|15/)
    assert.deepEqual(
      page.inlineCode.map(({ line, text }) => `${line}: ${text}`),
      ['1: two', '3: six', '24: 15'],
    )
    assert.ok(page.prose.some(({ line, text }) => line === 24 && text === '16'))
  })
})
