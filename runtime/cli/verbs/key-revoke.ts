import { tell } from '../cli.ts'
import { Failure } from '../failure.ts'
import { type Verb, verb } from '../verb.ts'

/** Takes a key out of its file; agents notice within a second. */
export const keyRevoke: Verb = cli => {
  const command = verb('revoke', 'take a key out of the file of keys', [
    'newdt key revoke alice --file /etc/newdt/keys.json',
  ])
  command
    .argument('<id>', 'of the key')
    .option('--file <file>', 'the file of keys (default: AGENT_KEYS_FILE)')
  return command.action(async (id: string, { file }: { file?: string }) => {
    const { changeKeys, neededKeysPath } = await import('../keys-file.ts')
    const path = neededKeysPath(cli, file)
    await changeKeys(path, keys => {
      const left = keys.filter(key => key.id !== id)
      if (left.length === keys.length) throw new Failure(`${path}: there is no key "${id}"; newdt key list`)
      return left
    })
    const isDefault = id === 'default' ? '; the secret of the agent itself is good all the same' : ''
    await tell(cli, `${path}: the key "${id}" is gone${isDefault}`)
  })
}
