import assert from 'node:assert/strict'
import { test } from 'node:test'
import { scriptTypeOf } from '../../../runtime/cli/script-type.ts'

test('the first line of a script says what runs it, as the kernel and env(1) read it', () => {
  const shell = [
    '#!/bin/sh',
    '#! /bin/bash -e',
    '#!/bin/bash\r',
    '#!/usr/bin/env bash',
    '#!/usr/bin/env -i bash',
    '#!/usr/bin/env -S -i A=1 /bin/dash -e',
    '#!/usr/bin/env -SA=1 bash',
    '\uFEFF#!/bin/bash',
    '#!/bin/ash',
    '#!/bin/rbash',
    '#!/bin/busybox sh',
    '#!/usr/bin/env -S busybox ash -e',
    `#!/usr/bin/env -S 'bash' -e`,
  ]
  const python = [
    '#!/usr/bin/python3.12',
    '#!/usr/bin/env python3',
    '#!/usr/bin/python3.13t',
    '#!/usr/bin/env -S "python3" -u',
    `#!/usr/bin/env -S'python3' -u`,
    '#!/usr/bin/env -u X python3',
    '#!/usr/bin/env -iu X python3',
    '#!/usr/bin/env -uX python3',
    '#!/usr/bin/env --unset=X --chdir /tmp python3',
    '#!/usr/bin/env -S A=1 python3 -u',
    '#!/usr/bin/env -Spython3 -u',
    '#!/usr/bin/env -vS python3',
    '#!/usr/bin/env --split-string=python3 -u',
    '#!/usr/bin/env - python3',
    '\uFEFF#!/usr/bin/env python3',
  ]
  for (const line of shell) assert.equal(scriptTypeOf('x.py', `${line}\nexit`), 'shell', line)
  for (const line of python) assert.equal(scriptTypeOf('x', `${line}\nexit()`), 'python', line)
  for (const line of [
    '#!/bin/busybox awk',
    '#!/usr/bin/env -Su X python3',
    '#!/usr/bin/perl',
    '#!/usr/bin/env -S node',
    '#!/usr/bin/env -u python3 ruby',
  ])
    assert.throws(
      () => scriptTypeOf('x.sh', `${line}\n`),
      /x\.sh: is for (awk|u|perl|node|ruby); scripts are for/,
    )
})

test('a script whose first line names nothing is known by its name', () => {
  for (const line of [
    '',
    'echo',
    '#!',
    '#! ',
    '#!/usr/bin/env',
    '#!/usr/bin/env -S /opt/a=b/perl',
    '# !/bin/sh',
    ' #!/usr/bin/perl',
  ]) {
    assert.equal(scriptTypeOf('x.py', `${line}\npython3`), 'python', line)
    assert.equal(scriptTypeOf('x', `${line}\npython3`), 'shell', line)
  }
})
