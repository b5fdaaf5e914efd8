import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { createUserDatabase } from '../../../../lib/process/linux/user-database.ts'

const { find } = createUserDatabase()

test('every user of this machine has the ids and the groups that id(1) says', async () => {
  const names = readFileSync('/etc/passwd', 'utf8')
    .split('\n')
    .flatMap(line => line.split(':')[0] || [])
  assert.ok(names.includes('root'))
  for (const name of names) {
    const account = await find(name)
    assert.ok(account && account !== 'no-group', name)
    const id = (...options: string[]) => execFileSync('id', [...options, name], { encoding: 'utf8' }).trim()
    assert.deepEqual([account.uid, account.gid], [Number(id('-u')), Number(id('-g'))], name)
    assert.deepEqual([...account.groups].sort(), id('-G').split(' ').map(Number).sort(), name)
  }
})

test('home and shell are those of the database', async () => {
  const root = await find('root')
  assert.ok(root && root !== 'no-group')
  const [, , , , , home, shell] = readFileSync('/etc/passwd', 'utf8').split('\n')[0]!.split(':')
  assert.deepEqual([root.name, root.home, root.shell], ['root', home, shell])
})

test('a group takes the place of the one that the user has', async () => {
  const account = await find('nobody', 'daemon')
  assert.ok(account && account !== 'no-group')
  const daemon = Number(execFileSync('id', ['-g', 'daemon'], { encoding: 'utf8' }))
  assert.equal(account.gid, daemon)
  assert.ok(account.groups.includes(daemon))
})

test('what is not there is told', async () => {
  assert.equal(await find('no-such-user'), undefined)
  assert.equal(await find(`root${'\u00e9'.repeat(300)}`), undefined)
  assert.equal(await find('0'), undefined)
  assert.equal(await find('root', 'no-such-group'), 'no-group')
})

test('many at a time get each their own', async () => {
  const names = Array.from({ length: 200 }, (_, index) => (index % 2 === 0 ? 'root' : 'nobody'))
  const found = await Promise.all(names.map(name => find(name)))
  assert.deepEqual(
    found.map(account => account && account !== 'no-group' && account.name),
    names,
  )
})
