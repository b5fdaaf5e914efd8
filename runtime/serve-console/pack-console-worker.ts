import { parentPort, workerData } from 'node:worker_threads'
import { packConsole } from './pack-console.ts'
import { readConsole } from './read-console.ts'

/** Posts what is served, once. */
const { page, files } = await readConsole(workerData.page)
parentPort?.postMessage(await packConsole(page, files))
