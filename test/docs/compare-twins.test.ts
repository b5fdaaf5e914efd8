import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { compareTwins, hasSameExamples } from './compare-twins.ts'
import { parsePage } from './parse-page.ts'

const ENGLISH = `# Jobs

At most 5 of 100,000 jobs, see \`AGENT_MAX_RUNNING\`.

## Running

Kept as \`audit-<number>.jsonl\` for 7 days.

\`\`\`bash
# lists jobs
newdt ps   # all of them
\`\`\`
\`\`\`text
ID STATE
\`\`\`

\`\`\`
client → agent, port 8080
\`\`\`
`

const CHINESE = `# 任务

\`AGENT_MAX_RUNNING\`：100000 个任务里最多 5 个。

## 执行

保存在 \`audit-<数字>.jsonl\`，7 天。

\`\`\`bash
# 列出任务
newdt ps   # 全部
\`\`\`
\`\`\`text
ID STATE
\`\`\`

\`\`\`
客户端 → Agent，端口 8080
\`\`\`
`

const page = parsePage('a.md', ENGLISH)
const twin = (from: string, to: string) => {
  assert.ok(CHINESE.includes(from))
  return parsePage('a.zh-CN.md', CHINESE.replace(from, to))
}

describe('a twin', () => {
  const faultsWhere = (from: string, to: string): string[] => compareTwins(page, twin(from, to))

  test('says the same in other words', () => {
    assert.deepEqual(compareTwins(page, parsePage('a.zh-CN.md', CHINESE)), [])
    assert.deepEqual(compareTwins(parsePage('a.zh-CN.md', CHINESE), page), [])
  })

  test('that lacks a heading, or has it on another level, is told so', () => {
    assert.deepEqual(faultsWhere('## 执行', '执行'), [
      'a.md:5: has the heading ## Running, but a.zh-CN.md:20: has no more headings',
    ])
    assert.match(
      faultsWhere('## 执行', '### 执行')[0]!,
      /a\.md:5: .* ## Running, but a\.zh-CN\.md:5: .* ### 执行/,
    )
  })

  test('that lacks a number, or has another, is told so', () => {
    assert.deepEqual(faultsWhere('，7 天', ''), ['a.md:7: the number 7 is not in a.zh-CN.md:5 ff.'])
    assert.deepEqual(faultsWhere('最多 5 个', '最多 6 个'), [
      'a.md:3: the number 5 is not in a.zh-CN.md:1 ff.',
      'a.zh-CN.md:3: the number 6 is not in a.md:1 ff.',
    ])
    assert.equal(faultsWhere('7 天', '7 天，7 天')[0], 'a.zh-CN.md:7: the number 7 is not in a.md:5 ff.')
  })

  test('that lacks inline code, or has it in another section, is told so', () => {
    assert.equal(
      faultsWhere('`AGENT_MAX_RUNNING`：', '')[0],
      'a.md:3: the code AGENT_MAX_RUNNING is not in a.zh-CN.md:1 ff.',
    )
    assert.equal(
      faultsWhere('7 天', '7 天（`AGENT_KEEP`）')[0],
      'a.zh-CN.md:7: the code AGENT_KEEP is not in a.md:5 ff.',
    )
  })

  test('that has other code is told the line', () => {
    assert.deepEqual(faultsWhere('newdt ps ', 'newdt ps -a '), [
      'a.md:9: ```bash # lists jobs and a.zh-CN.md:9: ```bash # 列出任务 differ: "newdt ps" and "newdt ps -a"',
    ])
    assert.match(faultsWhere('ID STATE', 'ID 状态')[0]!, /^a\.md:13: .* differ: "ID STATE" and "ID 状态"$/)
    assert.match(faultsWhere('```bash', '```sh')[0]!, /^a\.md:9: .* are in two languages$/)
    assert.match(faultsWhere('端口 8080', '端口 8081')[0]!, /differ: "8080" and "8081"$/)
  })

  test('that lacks a block is told so', () => {
    assert.match(
      faultsWhere('```text\nID STATE\n```\n', '')[0]!,
      /^a\.md:13: .* and a\.zh-CN\.md:14: .* are in two languages$/,
    )
    assert.match(
      compareTwins(page, parsePage('a.zh-CN.md', CHINESE.slice(0, CHINESE.lastIndexOf('\n```\n客'))))[0]!,
      /^a\.md:17: has a block/,
    )
  })

  test('that alone does not run an example is told so', () => {
    assert.match(
      faultsWhere('```bash', '<!-- not run: 不行 -->\n```bash')[0]!,
      /only one is marked as not run$/,
    )
  })
})

describe('examples', () => {
  test('need not be run again where they are the same but for comments', () => {
    assert.ok(hasSameExamples(page, twin('列出', '显示')))
    assert.ok(!hasSameExamples(page, twin('newdt ps ', 'newdt ps -a ')))
    assert.ok(!hasSameExamples(page, twin('ID STATE', 'ID 状态')))
    assert.ok(!hasSameExamples(page, twin('# 列出任务', '# exits with 3')))
  })
})
