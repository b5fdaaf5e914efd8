import { join } from 'node:path'
import { after } from 'node:test'
import { type Database, openDatabase } from '../../lib/store/sqlite/database.ts'
import { recordingLog } from './recording-log.ts'
import { scratchDirectory } from './scratch.ts'

/** A fresh database for the test or file that calls this; closed and gone when it has run. */
export const scratchDatabase = (): Database => {
  const database = openDatabase(join(scratchDirectory(), 'test.db'), recordingLog().log)
  after(() => database.close())
  return database
}
