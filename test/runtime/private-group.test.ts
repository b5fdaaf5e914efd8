import assert from 'node:assert/strict'
import { test } from 'node:test'
import { isAlone } from '../../runtime/private-group.ts'

const USERS = 'root:x:0:0:root:/root:/bin/bash\nann:x:1000:1000::/home/ann:/bin/sh\n'
const GROUPS = 'root:x:0:\nann:x:1000:\n'

test('a group is private when it is called as its only member, and nobody else is in it', () => {
  const is = (users: string, groups: string) => isAlone(1000, { users, groups })
  assert.ok(is(USERS, GROUPS))
  assert.ok(is(USERS, GROUPS.replace('1000:', '1000:ann')))
  for (const [users, groups] of [
    [USERS, GROUPS.replace('1000:', '1000:bob')],
    [USERS, GROUPS.replace('1000:', '1000:ann,bob')],
    [USERS, GROUPS.replace('ann', 'staff')],
    [USERS, `${GROUPS}ann:x:1000:bob\n`],
    [`${USERS}bob:x:1001:1000::/:/bin/sh\n`, GROUPS],
    [`${USERS}bob:x:1000:1001::/:/bin/sh\n`, GROUPS],
    [USERS.replace('1000:1000', '1000:100'), GROUPS.replace('1000', '100')],
    [USERS, 'root:x:0:\n'],
    ['', ''],
  ] as const)
    assert.ok(!is(users, groups), users + groups)
})
