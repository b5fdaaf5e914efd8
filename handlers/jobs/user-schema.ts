import { z } from 'zod'
import { isUser, USER } from '../../lib/base/user-name.ts'
import { message } from '../http/text.ts'

const NOT_A_USER = message(
  '应为用户名，或用户名:组名，例如 "deploy" 或 "deploy:www-data"，不能是数字 ID',
  'must be the name of a user, or user:group, such as "deploy" or "deploy:www-data"; not a number',
)

/** Whom a job is to run as. */
export const userSchema = z
  .string(NOT_A_USER)
  .refine(isUser, NOT_A_USER)
  .meta({
    description:
      "Whom it runs as, by name, perhaps with a group: one that the agent's settings and the key allow. The agent's own user when absent.",
    pattern: USER,
    examples: ['deploy', 'deploy:www-data'],
  })
