import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Command } from 'commander'
import { createCli } from '../../../runtime/cli/cli.ts'
import { addSubmissionOptions, submissionOf } from '../../../runtime/cli/submission.ts'

const requestFor = async (...args: string[]): Promise<unknown> => {
  const cli = createCli(undefined)
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
      memory: '512mb',
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

test('sizes are taken as docker writes them, too; what is none goes to the agent, which says so', async () => {
  for (const [given, sent] of [
    ['2g', '2gb'],
    ['1.5G', '1.5Gb'],
    ['100', '100'],
    ['64 mb', '64 mb'],
    ['1x', '1x'],
  ] as const)
    assert.deepEqual(await requestFor('-m', given), { limits: { memory: sent } })
})

test('a number that is none is told at once', async () => {
  for (const cpus of ['x', '', '-1', '1e3', '1.5.2', 'Infinity'])
    await assert.rejects(requestFor(`--cpus=${cpus}`), /It should be a number/, cpus)
})
