import assert from 'node:assert/strict'
import { test } from 'node:test'
import { tunnelTo } from '../../../../runtime/console/sign-in/tunnel.ts'

test('a tunnel begins at a port that everybody may listen at, and leads to the page', () => {
  for (const [url, command, address] of [
    ['http://db1:9000/', 'ssh -L 9000:localhost:9000 db1', 'http://localhost:9000/'],
    ['http://db1/agents/db1/', 'ssh -L 8080:localhost:80 db1', 'http://localhost:8080/agents/db1/'],
    ['http://db1:81/', 'ssh -L 8080:localhost:81 db1', 'http://localhost:8080/'],
    ['http://[2001:db8::7]:1024/', 'ssh -L 1024:localhost:1024 2001:db8::7', 'http://localhost:1024/'],
  ] as const)
    assert.deepEqual(tunnelTo(new URL(url)), { command, address })
})
