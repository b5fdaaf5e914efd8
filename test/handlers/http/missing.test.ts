import assert from 'node:assert/strict'
import { globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { missingText } from '../../../handlers/http/missing.ts'
import { ROOT } from '../../support/agent.ts'

/** What lib/process says, and parts of it that stand in its source to the letter. */
const SAID: [literals: string[], said: string, zh: string, en: string][] = [
  [
    ['the agent may not change users (it lacks '],
    'the agent may not change users (it lacks CAP_KILL, CAP_SETUID)',
    'Agent 没有更换用户的权限（缺少 CAP_KILL, CAP_SETUID）；请以 root 运行 Agent，或者给它 CAP_CHOWN、CAP_KILL、CAP_SETGID 和 CAP_SETUID',
    '; run the agent as root, or with CAP_CHOWN, CAP_KILL, CAP_SETGID and CAP_SETUID',
  ],
  [
    ['the program setpriv (of util-linux) is not installed'],
    'the program setpriv (of util-linux) is not installed',
    '没有安装程序 setpriv（属于 util-linux）；请安装',
    '; install it',
  ],
  [
    ['`the program $', ' is not installed`'],
    'the program nice is not installed',
    '没有安装程序 nice；请安装',
    '; install it',
  ],
  [
    ['`the agent may not write to its cgroup $', ' (under systemd its unit needs Delegate=yes)`'],
    'the agent may not write to its cgroup /a b (under systemd its unit needs Delegate=yes)',
    'Agent 不能写入自己的 cgroup /a b（在 systemd 下，它的单元需要 Delegate=yes）；没有 systemd 时请以 root 运行 Agent',
    '; without systemd run the agent as root',
  ],
  [
    ['`the agent may not write to its cgroup $'],
    'the agent may not write to its cgroup /$1',
    'Agent 不能写入自己的 cgroup /$1；请以 root 运行 Agent',
    '; run the agent as root',
  ],
  [
    ["`other processes are in the agent's cgroup $"],
    "other processes are in the agent's cgroup /a",
    'Agent 的 cgroup /a 里有其他进程；请让 Agent 在自己的 cgroup 里启动',
    '; start the agent in a cgroup of its own',
  ],
  [
    ['`systemd has not left the cgroup $', ' to the agent: its unit needs Delegate=yes`'],
    'systemd has not left the cgroup /a to the agent: its unit needs Delegate=yes',
    'systemd 没有把 cgroup /a 交给 Agent：它的单元需要 Delegate=yes',
    '',
  ],
  [
    ["`the agent's cgroup $", ' cannot be divided: $'],
    "the agent's cgroup /a cannot be divided: EBUSY: busy",
    'Agent 的 cgroup /a 无法再划分：EBUSY: busy',
    '',
  ],
  [
    ["'no disk of this system has an I/O scheduler with weights (bfq, or io.cost)'"],
    'no disk of this system has an I/O scheduler with weights (bfq, or io.cost)',
    '本系统没有磁盘使用带权重的 I/O 调度器（bfq 或 io.cost）',
    '',
  ],
  [
    ['`this system has no cgroup with the controller $'],
    'this system has no cgroup with the controller memory',
    '本系统没有带控制器 memory 的 cgroup',
    '',
  ],
  [["'this system has no way to do it'"], 'this system has no way to do it', '本系统没有办法做到', ''],
]

test('all that a machine may lack is told in both languages, with what is to be done', () => {
  for (const [, said, zh, cure] of SAID) assert.deepEqual(missingText(said), { zh, en: said + cure })
  assert.deepEqual(missingText('a spoon'), { zh: 'a spoon', en: 'a spoon' })
})

test('the process layer says it as it is known here', () => {
  const files = globSync('lib/process/**/*.ts', { cwd: ROOT })
  const source = files.map(file => readFileSync(join(ROOT, file), 'utf8')).join()
  for (const literal of SAID.flatMap(([literals]) => literals)) assert.ok(source.includes(literal), literal)
})
