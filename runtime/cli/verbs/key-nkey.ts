import { writeFile } from 'node:fs/promises'
import { tell } from '../cli.ts'
import { Failure } from '../failure.ts'
import { type Verb, verb } from '../verb.ts'

/** Makes a key pair by which the engine of a fleet knows somebody: an agent, or a user of newdt. */
export const keyNkey: Verb = cli =>
  verb('nkey', 'make an nkey for the engine of a fleet: keep its seed in a file, print its public key', [
    'newdt key nkey db1.nkey',
    'echo "DB1: $(newdt key nkey db1.nkey)" >> nats.conf',
  ])
    .argument('<file>', 'a new one, for the seed; only you can read it')
    .action(async (file: string) => {
      const { makeNkey } = await import('../../nats/make-nkey.ts')
      const { publicKey, seed } = makeNkey()
      await writeFile(file, `${seed}\n`, { mode: 0o600, flag: 'wx' }).catch(
        (error: NodeJS.ErrnoException) => {
          throw new Failure(
            error.code === 'EEXIST' ? `${file}: it is there already, and stays as it is` : error.message,
          )
        },
      )
      await cli.out.write(`${publicKey}\n`)
      await tell(
        cli,
        `${file}: the seed, for AGENT_NATS_NKEY, NEWDT_FLEET_NKEY or nkey_file; the public key is for the engine`,
      )
    })
