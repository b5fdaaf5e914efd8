import assert from 'node:assert/strict'
import { existsSync } from 'node:fs'
import { describe, test } from 'node:test'
import { findByText } from '../support/proc.ts'
import { parsePage } from './parse-page.ts'
import { runPage } from './run-page.ts'

const fence = (language: string, ...lines: string[]): string =>
  [`\`\`\`${language}`, ...lines, '```', ''].join('\n')
const faultsOf = (parts: string[], deadlineMs?: number): Promise<string[]> =>
  runPage(parsePage('README.md', parts.join('\n')), deadlineMs)

describe('the examples of a page', { concurrency: 2 }, () => {
  test('run in one shell, in a directory of their own, beside an agent on the port that the page names', async () => {
    const faults = await faultsOf([
      fence('bash', 'mkdir one && cd one', 'greeting=hello port=8080'),
      fence('bash', 'echo $greeting; basename "$PWD"; cat'),
      fence('text', 'hello', 'one'),
      fence('bash', 'curl -sS "http://localhost:$port/healthz"', 'echo; echo "$NEWDT_HOST" >&2'),
      fence('text', '{"code":0,…"data":"up"}', 'http://127.0.0.1:8080'),
      fence('bash', '# exits with 2', 'newdt none'),
      fence('text', 'newdt: …none…'),
      fence('bash', "newdt run -- 'echo two > file'", 'cat ../file', 'ls ..'),
      fence('text', 'two', 'file', 'one'),
    ])
    assert.deepEqual(faults, [])
  })

  test('in Python and TypeScript run too', async () => {
    const faults = await faultsOf([
      '<!-- run -->',
      fence(
        'python',
        'import urllib.request',
        'print(urllib.request.urlopen("http://127.0.0.1:8080/healthz").status)',
      ),
      fence('text', '200'),
      '<!-- run -->',
      fence(
        'ts',
        "import { connect } from './lib/client/client.ts'",
        "const agent = connect('http://127.0.0.1:8080', { credentials: { secret: 'shindata' } })",
        "const run: { ok: boolean } = await agent.run({ cmd: 'true' })",
        'console.log(run.ok)',
      ),
      fence('text', 'true'),
      '<!-- run -->',
      fence('python', 'raise SystemExit(4)'),
    ])
    assert.equal(faults.length, 1)
    assert.match(faults[0]!, /^README\.md:\d+: the example exits with 4 instead of 0/)
  })

  test('that print one word that the page does not show, or exit otherwise, are told with it', async () => {
    const faults = await faultsOf([
      fence('bash', 'echo one; echo two >&2'),
      fence('text', 'one', 'three'),
      fence('bash', 'false'),
      fence('bash', '# exits with 3', '(exit 3)'),
      fence('bash', 'echo four'),
      fence('text', 'four'),
    ])
    assert.deepEqual(faults, [
      [
        'README.md:1: the example does not print what the page shows. In line 7',
        '    expected: three',
        '    came:     two',
        '  It printed:',
        '    | one',
        '    | two',
      ].join('\n'),
      'README.md:10: the example exits with 1 instead of 0 (or begin it with "# exits with N"). It printed nothing.',
    ])
  })

  test('that do not end, or end the shell, are the last', async () => {
    assert.deepEqual(await faultsOf([fence('bash', 'echo one; sleep 300'), fence('bash', 'false')], 3000), [
      'README.md:1: the example does not end within 3000 ms; so far it printed:\n    | one',
    ])
    assert.deepEqual(await faultsOf([fence('bash', '# exits with 3', 'exit 3'), fence('bash', 'true')]), [
      'README.md:6: the example comes behind one that has ended the shell',
    ])
  })

  test('leave nothing behind', async () => {
    const [fault] = await faultsOf([
      fence(
        'bash',
        'sleep 301 & setsid sleep 302 &',
        'here=$(dirname "$(command -v newdt)")',
        'AGENT_PORT=0 AGENT_DATA_DIR=$TMPDIR/data "$here/node.sh" "$here/main.ts" >log 2>&1 &',
        'until grep -q listening log; do sleep 0.05; done',
        'mktemp; false',
      ),
    ])
    const [, home] = /(\S*test-newdt-[^/]+)/.exec(fault!)!
    assert.ok(!existsSync(home!))
    assert.deepEqual(findByText(home!), [])
  })
})
