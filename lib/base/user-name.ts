/** The name of a user or a group, as useradd(8) and directory services have them; never a number. */
const NAME = '[A-Za-z_][\\w.@\\\\-]{0,254}\\$?'

/** `deploy`, or `deploy:group`. */
export const USER = `^${NAME}(:${NAME})?$`

const PATTERN = new RegExp(USER)

export const isUser = (text: string): boolean => PATTERN.test(text)

/** The group is undefined where there is none. */
export const partsOfUser = (user: string): [name: string, group: string | undefined] => {
  const [name = '', group] = user.split(':')
  return [name, group]
}
