import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Command } from 'commander'
import { createCli } from '../../../runtime/cli/cli.ts'
import { addSubmissionOptions, submissionOf } from '../../../runtime/cli/submission.ts'

/** One for all: each listens to the process's own streams. */
const cli = createCli(undefined)

const requestFor = async (...args: string[]): Promise<unknown> => {
  const command = addSubmissionOptions(new Command('run'), cli)
    .exitOverride()
    .configureOutput({ writeErr() {} })
  command.parse(args, { from: 'user' })
  return { ...(await submissionOf(cli, command.opts())) }
}

test('without options nothing is asked for but the command', async () => {
  assert.deepEqual(await requestFor(), {})
})

test('a user, limits and no new privileges are what the agent calls them', async () => {
  const limits = ['--memory', '512m', '--cpus', '1.5', '--processes', '200', '--open-files', '64']
  const more = ['--file-size', '1gb', '--nice', '10', '--io-weight', '50', '--no-new-privileges']
  assert.deepEqual(await requestFor('--user', 'deploy:www-data', ...limits, ...more), {
    user: 'deploy:www-data',
    limits: {
      memory: '512m',
      cpus: 1.5,
      processes: 200,
      openFiles: 64,
      fileSize: '1gb',
      nice: 10,
      ioWeight: 50,
    },
    noNewPrivileges: true,
  })
})

test('sizes go to the agent as they are: it has one way to read them, and says what is none', async () => {
  for (const memory of ['2g', '1.5G', '100', '64 mb', '1x'])
    assert.deepEqual(await requestFor('-m', memory), { limits: { memory } })
})

test('a number that is none, or that no agent takes, is told at once', async () => {
  for (const cpus of ['x', '', '-1', '0', '1e3', '1.5.2', 'Infinity'])
    await assert.rejects(requestFor(`--cpus=${cpus}`), /It should be a number from 0\.01 to 1024\./, cpus)
  await assert.rejects(requestFor('--nice', '-5'), /It should be a whole number from 0 to 19\./)
  await assert.rejects(requestFor('--processes', '1.5'), /It should be a whole number from 1 to 4194304\./)
})

test('who is told of it, and of what, is named once each', async () => {
  const url = 'https://ci.example.com/done'
  assert.deepEqual(await requestFor('--notify', url), { notify: { url } })
  const events = ['--notify-on', 'started', '--notify-on', 'failed', '--notify-on', 'started']
  assert.deepEqual(await requestFor('--notify', url, ...events), {
    notify: { url, on: ['started', 'failed'] },
  })
  await assert.rejects(
    requestFor('--notify', url, '--notify-on', 'end'),
    /Allowed choices are started, ended/,
  )
  await assert.rejects(requestFor('--notify-on', 'ended'), /--notify, which is missing/)
})
