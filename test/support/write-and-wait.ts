/**
 * A program for tests: opens the database that it is given and says so, then inserts jobs and their output,
 * saying the id of each when it is stored, until it is killed (or, asked to with "hold", only holds the lock).
 */
import { writeSync } from 'node:fs'
import { openDatabase } from '../../lib/store/sqlite/database.ts'
import { createJobStore } from '../../lib/store/sqlite/jobs.ts'
import { createOutputStore } from '../../lib/store/sqlite/outputs.ts'
import { recordingLog } from './recording-log.ts'
import { runningJob } from './sample-jobs.ts'

const [path, what] = process.argv.slice(2)
const database = openDatabase(path!, recordingLog().log)
const jobStore = createJobStore(database)
const outputStore = createOutputStore(database)
writeSync(1, 'open\n')
if (what === 'hold') setInterval(() => {}, 60_000)
else {
  for (;;) {
    const job = runningJob()
    const number = jobStore.insert(job, 1)
    const bytes = Buffer.from(job.id)
    outputStore.append(number, [{ seq: 1, stream: 'stdout', time: 1, position: 0, streamPosition: 0, bytes }])
    writeSync(1, `${job.id}\n`)
  }
}
