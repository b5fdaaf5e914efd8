import { InvalidArgumentError } from 'commander'

/** Of an option: 1 or more. */
export const wholeNumber = (text: string): number => {
  if (!/^[1-9]\d{0,8}$/.test(text)) throw new InvalidArgumentError('It should be a whole number, 1 or more.')
  return Number(text)
}
