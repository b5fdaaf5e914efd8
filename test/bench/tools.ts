import { accessSync, constants } from 'node:fs'
import { delimiter, join } from 'node:path'

/** Where what the benchmark uses is installed; undefined where it is not. */
export interface Tools {
  webhook: string | undefined
  lighttpd: string | undefined
  wrk: string | undefined
  chromium: string | undefined
  natsServer: string | undefined
}

export const findTools = (): Tools => ({
  webhook: find('webhook'),
  lighttpd: find('lighttpd'),
  wrk: find('wrk'),
  chromium: find('chromium'),
  natsServer: find('nats-server'),
})

/** lighttpd is in a directory that is only in the PATH of root. */
const find = (name: string): string | undefined =>
  [...(process.env.PATH ?? '').split(delimiter), '/usr/sbin', '/sbin']
    .map(directory => join(directory, name))
    .find(isExecutable)

const isExecutable = (path: string): boolean => {
  try {
    accessSync(path, constants.X_OK)
    return true
  } catch {
    return false
  }
}
