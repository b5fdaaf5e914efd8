import { join } from 'node:path'
import type { AgentStatus } from '../handlers/services.ts'
import type { Log } from '../lib/base/log.ts'
import { openBallast } from '../lib/store/ballast.ts'
import { watchDataDirectory } from '../lib/store/data-directory.ts'
import { createHousekeeping } from '../lib/store/housekeeping.ts'
import { type Database, DatabaseLockedError, openDatabase } from '../lib/store/sqlite/database.ts'
import { createJobStore } from '../lib/store/sqlite/jobs.ts'
import { createOutputStore } from '../lib/store/sqlite/outputs.ts'
import { createRecentJobs } from '../lib/store/sqlite/recent-jobs.ts'
import { createRetention } from '../lib/store/sqlite/retention.ts'
import { createRoom } from '../lib/store/sqlite/room.ts'
import { sizeOnDisk } from '../lib/store/sqlite/size-on-disk.ts'
import type { Config } from './config.ts'
import { orStartupError, StartupError } from './startup-error.ts'

/** Opens what the agent keeps in its data directory. `opened` gets what must be closed. Rejects with StartupError. */
export const openStore = async (
  { dataDirectory, keep }: Pick<Config, 'dataDirectory' | 'keep'>,
  log: Log,
  opened: AsyncDisposableStack,
) => {
  const path = join(dataDirectory, 'newdt-auto.db')
  const database = opened.adopt(openDatabaseOf(path, dataDirectory, log), one => one.close())
  const room = opened.adopt(createRoom({ database, log }), one => one.close())
  const ballastIn = async (name: string, options?: Parameters<typeof openBallast>[1]) =>
    opened.adopt(
      await orStartupError(`AGENT_DATA_DIR=${dataDirectory}`, () =>
        openBallast(join(dataDirectory, name), options),
      ),
      one => one.close(),
    )
  const ballast = await ballastIn('ballast')
  const gone = Promise.withResolvers<void>()
  const directory = opened.adopt(watchDataDirectory({ path, onGone: gone.resolve }), one => one.close())
  const recent = opened.adopt(createRecentJobs(database, log), one => one.close())
  const retention = createRetention(database, keep, recent)
  const hasRoom = (): boolean => ballast.isHeld() && room.isThere()

  return {
    database,
    room,
    jobStore: createJobStore(database, room, recent),
    outputStore: createOutputStore(database, room),
    retention,
    /** Whether there is room for more than the ends of jobs. */
    hasRoom,
    /** The room that is kept for the ends of jobs. */
    ballast: { isHeld: () => hasRoom() && !directory.isGone(), giveUp: ballast.giveUp },
    state: (): AgentStatus['store']['state'] => (directory.isGone() ? 'gone' : hasRoom() ? 'ok' : 'full'),
    /** Resolves when the data directory is not there any more, or another is in its place. */
    gone: gone.promise,

    /** What the database takes on the disk, in bytes. */
    async bytes(): Promise<number> {
      const { fileBytes, logBytes } = await sizeOnDisk(path)
      return fileBytes + logBytes
    },

    /** To be called when all jobs of before are settled. */
    async startHousekeeping() {
      const reserve = await ballastIn('reserve', { bytes: 4 * MB, enoughBytes: 32 * MB })
      const housekeeping = opened.adopt(
        createHousekeeping({ retention, checkpoint: room.checkpoint, hasRoom, reserve, log }),
        one => one.close(),
      )
      housekeeping.start()
      return housekeeping
    },
  }
}

/** Throws StartupError. */
const openDatabaseOf = (path: string, dataDirectory: string, log: Log): Database => {
  try {
    return openDatabase(path, log)
  } catch (error) {
    const reason = error instanceof DatabaseLockedError ? 'in use by another agent' : (error as Error).message
    throw new StartupError(`AGENT_DATA_DIR=${dataDirectory}: ${reason}`)
  }
}

const MB = 1024 ** 2
