/** The session that the README shows. */

export const PICTURE = 'docs/session.svg'
export const COLUMNS = 88

/** What is in the directory where it happens. */
export const FILES: Record<string, string> = {
  'backup.sh': `#!/bin/bash
for part in users orders invoices; do
  echo "$1: $part saved"
  sleep 0.4
done
`,
}

export const COMMANDS = [
  `newdt run -- 'echo "copying…"; sleep 0.8; echo "disk is full" >&2; exit 28'`,
  'echo $?',
  `id=$(newdt run --detach -- 'for n in 1 2 3; do echo "step $n"; sleep 0.6; done')`,
  'newdt logs -f $id',
  'newdt ps -a',
  'newdt script backup.sh -- nightly',
  'newdt ps --failed --since 1h',
]
