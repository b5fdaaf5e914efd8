import { connect, type SubmitRequest } from '../../../lib/client/client.ts'

/** Who has submitted the jobs in the pictures, with their secrets. */
export const CALLERS = {
  default: 'the-secret-of-the-pictures',
  platform: 'the-secret-of-the-platform',
  alice: 'the-secret-of-alice-in-pictures',
}

export const KEYS = {
  keys: [
    { id: 'platform', rights: ['read', 'run'], secret: CALLERS.platform },
    { id: 'alice', rights: ['read', 'run'], secret: CALLERS.alice },
  ],
}

interface Given {
  caller: keyof typeof CALLERS
  request: SubmitRequest
}

const platform = (request: SubmitRequest): Given => ({ caller: 'platform', request })
const alice = (request: SubmitRequest): Given => ({ caller: 'alice', request })

/** They end by themselves, one after the other. */
const ENDED: Given[] = [
  platform({ cmd: 'df -h /', labels: { check: 'disk' } }),
  platform({ cmd: 'systemctl is-active postgresql || exit 3', labels: { check: 'service', db: 'orders' } }),
  alice({ cmd: 'du -sh /var/log/* 2>/dev/null | sort -h | tail -5' }),
  platform({
    scriptName: 'vacuum.sh',
    scriptType: 'shell',
    scriptContent: 'echo "vacuuming $1"; sleep 0.4; echo "INFO: index scan needed"; echo done',
    params: 'orders --analyze',
    labels: { job: 'vacuum', db: 'orders' },
  }),
  platform({ cmd: 'curl -fsS http://127.0.0.1:1/health', labels: { check: 'health' } }),
  alice({ cmd: 'sleep 60', timeout: '1s' }),
  platform({
    scriptName: 'rotate-logs.py',
    scriptType: 'python',
    scriptContent: 'print("3 files rotated, 1.2 GB freed")',
    labels: { job: 'rotate' },
  }),
  platform({ cmd: 'journalctl --disk-usage || true', labels: { check: 'disk' } }),
]

/** Those that still run. */
const RUNNING: Given[] = [
  alice({
    cmd: 'tail -F /var/log/postgresql/postgresql.log',
    labels: { db: 'orders' },
  }),
  platform({
    scriptName: 'backup.sh',
    scriptType: 'shell',
    scriptContent: `
      printf 'pg_basebackup: \\033[1mstarting\\033[0m base backup of \\033[36morders\\033[0m\\n'
      (while :; do gzip -9 < /dev/urandom > /dev/null; done) &
      for part in $(seq 1 4000); do
        printf '\\033[32m%s\\033[0m  base/16384/%s  %s kB\\n' "$(date +%T)" $((2600 + part)) $((part * 7919 % 65536))
        [ $((part % 7)) = 0 ] && printf '\\033[33mWARNING\\033[0m:  checkpoint took longer than 30 s\\n' >&2
        sleep 0.25
      done`,
    params: 'orders --compress 9',
    labels: { job: 'backup', db: 'orders', env: 'prod' },
    timeout: '2h',
  }),
]

/** Runs what the pictures show; the id of the one that is looked at. */
export const fillAgent = async (url: string): Promise<string> => {
  let id = ''
  for (const { caller, request } of [...ENDED, ...RUNNING]) {
    const agent = connect(url, { credentials: { secret: CALLERS[caller], keyId: caller } })
    const submitted = await agent.submit(request)
    if (!submitted.ok) throw submitted.error
    id = submitted.value.id
    if (ENDED.some(given => given.request === request)) await submitted.value.wait()
  }
  return id
}
