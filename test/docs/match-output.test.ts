import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { findDifference } from './match-output.ts'

const matches = (shown: string, printed: string): boolean => findDifference(shown, printed) === undefined

describe('what a page shows', () => {
  test('is what was printed, whatever the white space', () => {
    assert.ok(matches('ID   STATE\n1    done', 'ID STATE\r\n1\tdone\n\n'))
    assert.ok(matches('', '\n'))
  })

  test('is not what differs in one word', () => {
    assert.deepEqual(findDifference('one two\nthree four\nfive', 'one two\nthree 4\nfive'), {
      line: 1,
      expected: 'four five',
      came: '4 five',
    })
  })

  test('may not lack the end of what was printed, nor have more', () => {
    assert.deepEqual(findDifference('one\ntwo', 'one\ntwo\nthree'), { line: 1, expected: '', came: 'three' })
    assert.deepEqual(findDifference('one\ntwo\nthree', 'one\ntwo'), { line: 2, expected: 'three', came: '' })
    assert.deepEqual(findDifference('one', ''), { line: 0, expected: 'one', came: '' })
  })

  test('has an ellipsis for anything', () => {
    assert.ok(matches('{"id":"…","state":"done",…}', '{"id":"x","state":"done","pid":1}'))
    assert.ok(matches('one\n…\nfour', 'one\ntwo\nthree\nfour'))
    assert.ok(matches('one … two', 'one two'))
    assert.ok(matches('…', ''))
    assert.ok(matches('one …', 'one'))
    assert.ok(matches('took …ms', 'took 17ms'))
    assert.ok(matches('… b', 'a b a b'))
  })

  test('has nothing in the place of what stands around an ellipsis', () => {
    assert.ok(!matches('exit 1 …', 'exit 10'))
    assert.ok(!matches('one … two', 'one xtwo'))
    assert.ok(!matches('a…a', 'a'))
    assert.deepEqual(findDifference('a\n… state done …\nb', 'a\nid state failed x\nb'), {
      line: 1,
      expected: 'done',
      came: 'failed x b',
    })
    assert.ok(!matches('one\n…\ntwo', 'onetwo'))
  })

  test('may break a long line off', () => {
    assert.ok(matches('{"a":1,…\n  "d":4}', '{"a":1,"c":3,"d":4}'))
    assert.ok(matches('{"a":1,…\n  …"d":4}', '{"a":1,"c":3,"d":4}'))
    assert.deepEqual(findDifference('{"a":1,…\n"c":…\n"e":5,\n"f":6}', '{"a":1,"c":3,"d":4,"e":5, "f":7}'), {
      line: 3,
      expected: '"f":6}',
      came: '"f":7}',
    })
    assert.deepEqual(findDifference('{"a":1,…\n"c":…\n"e":5}', '{"a":1,"c":3,"d":4}'), {
      line: 2,
      expected: '"e":5}',
      came: '3,"d":4}',
    })
  })

  test('has ids and times that are as good as any other', () => {
    assert.ok(matches('"id":"019a0b1c2d3e"', '"id":"0123456789abcdef0123456789abcdef"'))
    assert.ok(matches('at 2026-11-27T10:00:00Z', 'at 2027-01-02T03:04:05.678+01:00'))
    assert.ok(!matches('"id":"019a0b1c2d3e"', '"id":"none"'))
    assert.ok(!matches('"id":"019a0b1c2d3"', '"id":"019a0b1c2d4"'))
    assert.ok(matches('019a0b1c… is done', '0123456789abcdef is done'))
  })

  const words = fc.array(fc.constantFrom('a', 'b', 'aa', '1', '"x":'), { maxLength: 8 })

  test('of any text is that text, also with any part of it left out', () => {
    fc.assert(
      fc.property(words, words, words, (first, middle, last) => {
        const text = [...first, ...middle, ...last].join(' ')
        assert.ok(matches(text, text))
        assert.ok(matches([...first, '…', ...last].join(' '), text))
      }),
    )
  })

  test('is found to differ as a regular expression finds it', () => {
    const parts = fc.array(fc.constantFrom('a', 'b', ' ', '…'), { maxLength: 9 }).map(part => part.join(''))
    const printed = fc.array(fc.constantFrom('a', 'b', ' '), { maxLength: 9 }).map(part => part.join(''))
    fc.assert(
      fc.property(parts, printed, (shown, text) => {
        const clean = (dirty: string) => ` ${dirty.replace(/\s+/g, ' ').trim()} `.replace(/^ +$/, ' ')
        const pattern = clean(shown)
          .split('…')
          .map(piece => piece.replace(/^ /, '(?:(?<= )|^ | )').replace(/ $/, '(?: |(?= ))'))
          .join('.*')
        // A blank at the border of an ellipsis may be shared with the one on its other side.
        assert.equal(matches(shown, text), new RegExp(`^${pattern}$`).test(clean(text)), `${shown}|${text}`)
      }),
      { numRuns: 500 },
    )
  })
})
