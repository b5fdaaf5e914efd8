import { mkdir, rm } from 'node:fs/promises'

/** An empty directory for the agent's account alone; scripts that an earlier agent has left in it are removed. */
export const openScriptDirectory = async (path: string): Promise<void> => {
  await rm(path, { recursive: true, force: true })
  await mkdir(path, { mode: 0o700 })
}
