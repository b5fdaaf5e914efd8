import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { test } from 'node:test'
import fc from 'fast-check'
import { splitWords } from '../../../lib/jobs/shell-words.ts'
import { commandLineOf, quoteWord, splitAtDashes, verbOf } from '../../../runtime/cli/command-line.ts'

const word = fc
  .string({ unit: 'binary', maxLength: 12 })
  .filter(text => !text.includes('\0') && text.isWellFormed())

test('words that are quoted are the same words for bash, and for an agent that splits the arguments of a script', () => {
  fc.assert(
    fc.property(
      fc.array(fc.array(word, { minLength: 2, maxLength: 4 }), { minLength: 1, maxLength: 40 }),
      lists => {
        const script = lists.map(words => `printf '%s\\0' ${commandLineOf(words)}`).join('\n')
        const printed = execFileSync('bash', ['-c', script], {
          encoding: 'utf8',
          stdio: ['ignore', 'pipe', 'pipe'],
        })
        assert.deepEqual(printed.split('\0').slice(0, -1), lists.flat())
        for (const words of lists) assert.deepEqual(splitWords(words.map(quoteWord).join(' ')), words)
      },
    ),
    { numRuns: 20 },
  )
})

test('plain words stay as they are typed, so that a key may allow them to the letter', () => {
  assert.equal(commandLineOf(['systemctl', 'reload', 'nginx.service']), 'systemctl reload nginx.service')
  assert.equal(commandLineOf(['echo $HOME | cat']), 'echo $HOME | cat')
  assert.equal(commandLineOf(['echo', '~', "it's"]), `echo '~' 'it'\\''s'`)
})

test('only the first -- divides', () => {
  assert.deepEqual(splitAtDashes(['run', 'a', '--', 'x', '--', 'y']), {
    own: ['run', 'a'],
    rest: ['x', '--', 'y'],
  })
  assert.deepEqual(splitAtDashes(['run', '--']), { own: ['run'], rest: [] })
  assert.deepEqual(splitAtDashes(['ps', '-a']), { own: ['ps', '-a'], rest: undefined })
})

test('the verb is the first word but for the fleet', () => {
  assert.equal(verbOf(['ps', '--fleet', 'run']), 'ps')
  assert.equal(verbOf(['--fleet', 'run', 'ps']), 'ps')
  assert.equal(verbOf(['--fleet=run', 'ps']), 'ps')
  assert.equal(verbOf(['--fleet', 'run']), undefined)
  assert.equal(verbOf([]), undefined)
})
