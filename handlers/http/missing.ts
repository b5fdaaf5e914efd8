import type { Text } from './text.ts'

/** What this machine lacks, as lib/process says it in English, in both languages and with what is to be done. */
export const missingText = (missing: string): Text => {
  for (const { reason, zh, cure } of REASONS) {
    const match = reason.exec(missing)
    if (!match) continue
    const chinese = zh.replace(/\$(\d)/g, (_, number) => match[Number(number)] ?? '')
    return { zh: cure ? `${chinese}；${cure.zh}` : chinese, en: cure ? `${missing}; ${cure.en}` : missing }
  }
  return { zh: missing, en: missing }
}

/** `$1` is what the first group has matched. */
interface Reason {
  reason: RegExp
  zh: string
  cure?: Text
}

const RUN_AS_ROOT: Text = { zh: '请以 root 运行 Agent', en: 'run the agent as root' }
const INSTALL: Text = { zh: '请安装', en: 'install it' }

const REASONS: Reason[] = [
  {
    reason: /^the agent may not change users \(it lacks (.+)\)$/,
    zh: 'Agent 没有更换用户的权限（缺少 $1）',
    cure: {
      zh: '请以 root 运行 Agent，或者给它 CAP_CHOWN、CAP_KILL、CAP_SETGID 和 CAP_SETUID',
      en: 'run the agent as root, or with CAP_CHOWN, CAP_KILL, CAP_SETGID and CAP_SETUID',
    },
  },
  {
    reason: /^the program (\S+) \(of util-linux\) is not installed$/,
    zh: '没有安装程序 $1（属于 util-linux）',
    cure: INSTALL,
  },
  { reason: /^the program (\S+) is not installed$/, zh: '没有安装程序 $1', cure: INSTALL },
  {
    reason: /^the agent may not write to its cgroup (.+) \(under systemd its unit needs Delegate=yes\)$/,
    zh: 'Agent 不能写入自己的 cgroup $1（在 systemd 下，它的单元需要 Delegate=yes）',
    cure: { zh: '没有 systemd 时请以 root 运行 Agent', en: 'without systemd run the agent as root' },
  },
  {
    reason: /^the agent may not write to its cgroup (.+)$/,
    zh: 'Agent 不能写入自己的 cgroup $1',
    cure: RUN_AS_ROOT,
  },
  {
    reason: /^other processes are in the agent's cgroup (.+)$/,
    zh: 'Agent 的 cgroup $1 里有其他进程',
    cure: { zh: '请让 Agent 在自己的 cgroup 里启动', en: 'start the agent in a cgroup of its own' },
  },
  {
    reason: /^systemd has not left the cgroup (.+) to the agent: its unit needs Delegate=yes$/,
    zh: 'systemd 没有把 cgroup $1 交给 Agent：它的单元需要 Delegate=yes',
  },
  { reason: /^the agent's cgroup (.+) cannot be divided: (.+)$/, zh: 'Agent 的 cgroup $1 无法再划分：$2' },
  {
    reason: /^no disk of this system has an I\/O scheduler with weights \((.+)\)$/,
    zh: '本系统没有磁盘使用带权重的 I/O 调度器（bfq 或 io.cost）',
  },
  {
    reason: /^this system has no cgroup with the controller (.+)$/,
    zh: '本系统没有带控制器 $1 的 cgroup',
  },
  { reason: /^this system has no way to do it$/, zh: '本系统没有办法做到' },
]
