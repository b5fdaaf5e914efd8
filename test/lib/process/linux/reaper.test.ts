import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { setImmediate } from 'node:timers/promises'
import { stopAll } from '../../../../lib/process/stop.ts'
import { linuxProcesses } from '../../../support/linux-processes.ts'
import { know, lives } from '../../../support/proc.ts'
import { runBash, type Started, startBash } from '../../../support/run-process.ts'
import { waitFor } from '../../../support/wait-for.ts'

const target = ({ mark, pid }: { mark: number; pid: number }) => ({ marks: new Set([mark]), pid })

/** A hundred orphans of a job, children of the agent by now, that are stopped and continued without end. */
const STORM = `
  pipe my $read, my $write;
  for (1..100) {
    next if fork;
    if (my $orphan = fork) { syswrite $write, "$orphan\\n"; exit }
    sleep 1 while 1;
  }
  my @orphans = map { scalar <$read> + 0 } 1..100;
  1 while wait > 0;
  $| = 1; print "begun\\n";
  while (1) { for (@orphans) { kill "STOP", $_; kill "CONT", $_ } select undef, undef, undef, 0.001 }
`

/** Asks to be traced by its parent, and then gets signals. */
const TRACED = `
  import ctypes, os, signal, sys
  libc = ctypes.CDLL(None)
  signal.signal(signal.SIGUSR1, lambda *_: print("handled", flush=True))
  libc.ptrace(0, 0, 0, 0)
  print("traced", flush=True)
  os.kill(os.getpid(), signal.SIGUSR1)
  signal.pause()
`.replaceAll(/^ {2}/gm, '')

describe('the reaper', () => {
  let isOnAnotherThread = false
  const processes = linuxProcesses({ startDurations: { add() {}, areLong: () => isOnAnotherThread } })

  const end = async (started: Started): Promise<void> => {
    await stopAll(processes, target(started), 0)
    await started.exited
  }

  test('orphans that stop and continue each other keep nobody from being collected', async t => {
    const storm = await startBash(processes, '', { args: ['-c', 'exec perl -e "$0"', STORM] })
    t.after(() => end(storm))
    await waitFor('the storm has begun', () => storm.stdout().includes('begun'))
    // The loop turns on: what ends is collected, again and again.
    for (let round = 0; round < 10; round++) {
      await setImmediate()
      assert.equal((await runBash(processes, `exit ${round}`)).status.exitCode, round)
    }
  })

  // The thread that starts a process is its tracer.
  for (const thread of ['the main thread', 'another thread']) {
    test(`a process that is traced by ${thread} and stops has not ended: it can still be stopped`, async t => {
      isOnAnotherThread = thread === 'another thread'
      t.after(() => {
        isOnAnotherThread = false
      })
      const traced = await startBash(processes, '', { args: ['-c', 'exec python3 -c "$0"', TRACED] })
      t.after(() => end(traced))
      let hasEnded = false
      void traced.exited.then(() => {
        hasEnded = true
      })
      await waitFor('it is traced', () => traced.stdout().includes('traced'))
      // Others end meanwhile, so the agent looks at its children.
      for (let round = 0; round < 5; round++) await runBash(processes, 'true')
      assert.ok(lives(know(traced.pid)))
      assert.equal(hasEnded, false)
      // The main thread lets it go on.
      if (!isOnAnotherThread) await waitFor('its handler runs', () => traced.stdout().includes('handled'))
      assert.deepEqual(await stopAll(processes, target(traced), 100), [])
      const { status } = await traced.exited
      assert.notEqual(status.signal, 0)
      assert.notEqual(status.signal, 0x7f)
    })
  }

  test('orphans that end by the thousand are all reaped', async () => {
    const { status } = await runBash(processes, 'for i in {1..2000}; do (true &); done; exit 7')
    assert.equal(status.exitCode, 7)
    await waitFor('no zombie is left', async () => {
      const { stdout } = await runBash(processes, `ps -o stat= --ppid ${process.pid} | grep -c '^Z' || true`)
      return Number(stdout) === 0
    })
  })
})
