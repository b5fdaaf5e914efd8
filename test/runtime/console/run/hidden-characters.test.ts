import assert from 'node:assert/strict'
import { test } from 'node:test'
import { hasHiddenCharacters } from '../../../../runtime/console/run/hidden-characters.ts'

test('characters that reorder others, or that nobody sees, are found', () => {
  for (const hidden of ['\u202e', '\u2066', '\u200b', '\ufeff', '\u2028', '\x1b', '\0', '\x7f'])
    assert.equal(hasHiddenCharacters(`a${hidden}b`), true)
})

test('what a script has by rights is not', () => {
  assert.equal(hasHiddenCharacters('if true; then\n\techo "备份 é 😀"\r\nfi\n'), false)
})
