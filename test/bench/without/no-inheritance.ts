import { createInheritance as create, type Inheritance } from '../../../lib/process/linux/inheritance.ts'
import type { Libc } from '../../../lib/process/linux/libc.ts'

/** Jobs inherit what the agent has. */
export const createInheritance = (libc: Libc): Inheritance => ({ ...create(libc), give: () => () => {} })
