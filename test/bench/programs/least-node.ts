import { closeSync } from 'node:fs'
import { createServer } from 'node:http'
import { DatabaseSync } from 'node:sqlite'
import koffi from 'koffi'
import { announce } from './announce.ts'

// least-node.ts <database file>: the least that a server on Node can do for a job and still tell of it afterwards.
// node:http without a router, posix_spawn(3) with two pipes, a record before the start and one at the end. Nothing
// is signed, checked, limited, contained, logged or streamed, and who is watched ends when it likes.
const libc = koffi.load(null)
const posixSpawn = libc.func(
  'int posix_spawn(_Out_ int *pid, const char *path, void *actions, void *attr, const char **argv, const char **envp)',
)
const initActions = libc.func('int posix_spawn_file_actions_init(void *actions)')
const addDup2 = libc.func('int posix_spawn_file_actions_adddup2(void *actions, int fd, int newfd)')
const destroyActions = libc.func('int posix_spawn_file_actions_destroy(void *actions)')
const pipe2 = libc.func('int pipe2(_Out_ int *fds, int flags)')
const read = libc.func('long read(int fd, void *buffer, size_t size)')
const wait4 = libc.func('int wait4(int pid, _Out_ int *status, int options, void *usage)')
const O_CLOEXEC = 0o2000000
const WNOHANG = 1

const database = new DatabaseSync(process.argv[2]!)
database.exec(`
  PRAGMA locking_mode = EXCLUSIVE;
  PRAGMA journal_mode = WAL;
  PRAGMA synchronous = NORMAL;
  CREATE TABLE jobs (number INTEGER PRIMARY KEY, state TEXT, pid INTEGER, status INTEGER)`)
const insert = database.prepare(`INSERT INTO jobs (state) VALUES ('running')`)
const finish = database.prepare(`UPDATE jobs SET state = 'ended', pid = ?, status = ? WHERE number = ?`)

const envp = [...Object.entries(process.env).map(([name, value]) => `${name}=${value}`), null]
const usage = Buffer.alloc(144)
const buffer = Buffer.allocUnsafeSlow(65_536)
const running = new Map<number, (status: number) => void>()

const openPipe = (): [number, number] => {
  const ends: [number, number] = [-1, -1]
  if (pipe2(ends, O_CLOEXEC) !== 0) throw new Error('pipe2')
  return ends
}

const start = (stdout: number, stderr: number): number => {
  const actions = Buffer.alloc(80)
  const pid: [number] = [0]
  initActions(actions)
  addDup2(actions, stdout, 1)
  addDup2(actions, stderr, 2)
  const error = posixSpawn(pid, '/bin/bash', actions, null, ['bash', '-c', ':', null], envp)
  destroyActions(actions)
  if (error !== 0) throw new Error(`posix_spawn: ${error}`)
  return pid[0]
}

/** What is there when the process has ended. */
const take = (fd: number): string => {
  const length = read(fd, buffer, buffer.length) as number
  closeSync(fd)
  return buffer.toString('utf8', 0, length)
}

process.on('SIGCHLD', () => {
  for (;;) {
    const status: [number] = [0]
    const pid = wait4(-1, status, WNOHANG, usage)
    if (pid <= 0) return
    running.get(pid)?.(status[0])
    running.delete(pid)
  }
})

const server = createServer((request, response) => {
  request.resume()
  const { lastInsertRowid: number } = insert.run()
  const [outRead, stdout] = openPipe()
  const [errRead, stderr] = openPipe()
  const pid = start(stdout, stderr)
  closeSync(stdout)
  closeSync(stderr)
  running.set(pid, status => {
    const output = { stdout: take(outRead), stderr: take(errRead) }
    finish.run(pid, status, number)
    const body = JSON.stringify({ number: Number(number), pid, exitCode: status >> 8, ...output })
    response.writeHead(200, { 'Content-Type': 'application/json', 'Content-Length': Buffer.byteLength(body) })
    response.end(body)
  })
})

await announce(server)
