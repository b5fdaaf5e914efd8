import { noun, type Verb } from '../verb.ts'
import { keyList } from './key-list.ts'
import { keyNew } from './key-new.ts'
import { keyRevoke } from './key-revoke.ts'

export const key: Verb = cli => noun('key', 'the keys of an agent', cli, [keyNew, keyList, keyRevoke])
