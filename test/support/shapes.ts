const FIRST_THREAD_ENDS = [
  'import ctypes, threading, time',
  'threading.Thread(target=lambda: (time.sleep(0.05), print("ready", flush=True), time.sleep(1000))).start()',
  'ctypes.CDLL(None).pthread_exit(None)',
].join('; ')

/** Each prints "ready" when its processes stand; all of them carry the text in their command lines. */
export const shapes = (text: string): [name: string, command: string, processes: number][] => [
  ['a plain process', `echo ready; exec sleep 1000.${text}`, 1],
  ['a background child', `sleep 1000.${text} & echo ready; wait`, 1],
  ['a double fork with setsid', `setsid sh -c 'sleep 1000.${text} & echo ready'; sleep 1000.${text}`, 2],
  ['a cleared environment', `env -i setsid sleep 1000.${text} & echo ready; sleep 1000.${text}`, 2],
  [
    'a cleared environment, a double fork and no descriptors',
    `env -i setsid sh -c 'sleep 1000.${text} <&- >&- 2>&- &'; echo ready; sleep 1000.${text}`,
    2,
  ],
  ['a rewritten title', `perl -e '$|=1; $0="${text}" x 400; print "ready\\n"; sleep 1000'`, 1],
  [
    'a process that ignores TERM',
    `trap '' TERM; echo ready; sleep 1000.${text} & wait; sleep 1000.${text}`,
    2,
  ],
  ['a stopped process', `(echo ready; kill -STOP $BASHPID; sleep 1000.${text}) & sleep 1000.${text}`, 1],
  [
    'one that resets its limits, as su does',
    `bash -c 'ulimit -S -x unlimited; sleep 1000.${text} & wait' & echo ready; wait`,
    2,
  ],
  ['a leader that resets its limits', `ulimit -S -x unlimited; echo ready; exec sleep 1000.${text}`, 1],
  [
    'one that resets its limits, ignores TERM and outlives its parents',
    `bash -c 'ulimit -S -x unlimited; trap "" TERM; echo ready; setsid sleep 1000.${text}' & wait`,
    2,
  ],
  // It looks like a zombie, without a command line; that it is gone shows in its exit.
  ['a process whose first thread has ended', `exec python3 -c '${FIRST_THREAD_ENDS}'`, 0],
  ['a process under nohup', `nohup setsid sleep 1000.${text} >/dev/null 2>&1 & echo ready; wait`, 1],
  [
    'a command name with a parenthesis',
    `cp "$(command -v sleep)" "$T"; "$T" 1000.${text} & echo ready; wait`,
    1,
  ],
]
