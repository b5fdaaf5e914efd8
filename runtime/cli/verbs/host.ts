import { noun, type Verb } from '../verb.ts'
import { hostAdd } from './host-add.ts'
import { hostCheck } from './host-check.ts'
import { hostList } from './host-list.ts'
import { hostRemove } from './host-remove.ts'
import { hostUse } from './host-use.ts'

export const host: Verb = cli =>
  noun('host', 'the agents that are known by name', cli, [hostAdd, hostList, hostUse, hostRemove, hostCheck])
