import { noun, type Verb } from '../verb.ts'
import { keyList } from './key-list.ts'
import { keyNew } from './key-new.ts'
import { keyNkey } from './key-nkey.ts'
import { keyRevoke } from './key-revoke.ts'

export const key: Verb = cli =>
  noun('key', 'the keys of an agent, and nkeys', cli, [keyNew, keyList, keyRevoke, keyNkey])
