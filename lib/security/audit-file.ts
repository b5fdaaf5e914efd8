import { hash } from 'node:crypto'
import { type FileHandle, link, open, readdir, readFile, rename, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import {
  AUDIT_FILE,
  AUDIT_HEAD_FILE,
  type AuditHead,
  type AuditLine,
  EMPTY_HEAD,
  fullFileName,
  isFullFileName,
  KEEP_FILES,
  LONGEST_READ_BYTES,
  NEXT_AUDIT_FILE,
  newestIn,
  parseHead,
  parseLine,
} from './audit-line.ts'

/**
 * The files of a trail: lines are added to one until it is full, and where the chain is stands in another. Nothing may
 * be called while something else of it is under way, but for `sync` and `writeHead`. Rejects when they cannot be opened.
 */
export const openAuditFiles = async (directory: string) => {
  await using opened = new AsyncDisposableStack()
  const path = join(directory, AUDIT_FILE)
  const headPath = join(directory, AUDIT_HEAD_FILE)
  const nextPath = join(directory, NEXT_AUDIT_FILE)
  /** Held open, so that its inode is nobody else's, whatever becomes of its name. */
  const home = opened.use(await open(directory))
  let { lines, head, size } = await openBoth(path, headPath)
  opened.use(lines)
  opened.use(head)
  // Of a rotation that was not finished. One that cannot be removed hinders the next rotation, which says so.
  await rm(nextPath, { force: true }).catch(() => {})
  const early = await fileNamedEarly(directory)
  if (early !== undefined) await rm(join(directory, early), { force: true })
  let first = await firstKept(directory)
  // A name that the disk does not know after a loss of power would take its lines with it.
  await syncNames(home)
  opened.move()
  /** A write has failed and may have left half a line. */
  let isTorn = false

  /** Half a line would look like a changed one. */
  const cutOff = async (): Promise<void> => {
    await lines.truncate(size)
    isTorn = false
  }

  /** Whether the directory is still where it was: another agent may use one in its place. */
  const isHome = (): Promise<boolean> => isAt(directory, home)

  /**
   * A file in the place of the one that lines are added to, which gets the name of a full one. It has both names for a
   * moment: whoever looks meanwhile, or after the agent was killed, finds all lines.
   */
  const exchange = async (fullPath: string): Promise<void> => {
    await link(path, fullPath).catch(error => {
      if (!NO_LINKS.has(error.code)) throw error
      return rename(path, fullPath)
    })
    await rename(nextPath, path).catch(async error => {
      await rename(fullPath, path) // Does nothing where both are names of one file, rename(2).
      await rm(fullPath, { force: true })
      throw error
    })
  }

  return {
    /** Where the chain ends, and where it ended for who has written last; undefined when nobody has said so. */
    async findHeads(): Promise<{ last: AuditHead; told: AuditHead | undefined }> {
      const last = (await headOf(lines, size)) ?? (await headOfNewestFull(directory)) ?? EMPTY_HEAD
      return { last, told: parseHead(await readFile(headPath, 'utf8')) }
    },

    /** The number of the oldest line that must be there, and of the one that is; undefined when nothing says so. */
    async findFirst(): Promise<{ told: number | undefined; found: number | undefined }> {
      return { told: first, found: (await oldestLine(directory))?.seq }
    },

    /** Adds whole lines, all or none. */
    async append(text: string): Promise<void> {
      const bytes = Buffer.from(text)
      if (isTorn) await cutOff()
      try {
        await writeWhole(lines, bytes)
      } catch (error) {
        isTorn = true
        await cutOff().catch(() => {}) // It is tried again with the next line.
        throw error
      }
      size += bytes.length
    },

    /** From then on not even a loss of power takes the lines of now. */
    sync: (): Promise<void> => lines.datasync(),

    /** Always as long, so that a shorter one leaves no rest of a longer one. */
    async writeHead(newest: AuditHead): Promise<void> {
      await head.write(`${JSON.stringify(newest).padEnd(HEAD_BYTES - 1)}\n`, 0)
    },

    size: (): number => size,

    /** The number of the oldest line that must be there; undefined when nothing says so. */
    first: (): number | undefined => first,

    /**
     * Begins the next file with what `begin` makes of the number of the oldest line that is kept then, and removes the
     * oldest but `keep` full ones. When it rejects, everything is as before. `seq` is the newest line's number.
     */
    async rotate(seq: number, keep: number, begin: (first: number | undefined) => string): Promise<void> {
      if (!(await isHome())) return // Whoever has moved it away has all lines in one file.
      const names = [...(await fullFiles(directory)), fullFileName(seq)]
      const surplus = names.slice(0, Math.max(0, names.length - keep))
      const oldest = surplus.length > 0 ? newestIn(surplus.at(-1)!) + 1 : first
      const bytes = Buffer.from(begin(oldest))
      const next = await open(nextPath, 'a+', 0o600)
      try {
        await next.truncate() // It may be of one that has failed.
        await writeWhole(next, bytes)
        await Promise.all([next.datasync(), lines.datasync()])
        await exchange(join(directory, fullFileName(seq)))
      } catch (error) {
        await next.close()
        throw error
      }
      const full = lines
      lines = next
      size = bytes.length
      first = oldest
      isTorn = false
      // What fails from here on changes nothing; a file that stays goes with the next rotation.
      await Promise.allSettled([full.close(), syncNames(home)])
      await Promise.allSettled(surplus.map(name => rm(join(directory, name))))
    },

    /**
     * Whether somebody has removed a file, or put another one in its place. When the directory was moved they are
     * still there, and are written on; what is in its place is not looked at.
     */
    async areGone(): Promise<boolean> {
      if (!(await isHome())) return (await lines.stat()).nlink === 0
      const [same, sameHead] = await Promise.all([isAt(path, lines), isAt(headPath, head)])
      return !same || !sameHead
    },

    /** Goes on with the files that are there now. Rejects, with everything as before, when the directory is gone. */
    async reopen(): Promise<void> {
      if (!(await isHome())) throw new Error(`${directory} is gone`)
      const old = [lines, head]
      ;({ lines, head, size } = await openBoth(path, headPath))
      isTorn = false
      await Promise.allSettled([...old.map(file => file.close()), syncNames(home)])
    },

    async close(): Promise<void> {
      await Promise.all([lines.close(), head.close(), home.close()])
    },
  }
}

/** Both or none. */
const openBoth = async (path: string, headPath: string) => {
  await using opened = new AsyncDisposableStack()
  const lines = opened.use(await open(path, 'a+', 0o600))
  const head = opened.use(await openHeadFile(headPath))
  const size = await endOfLastLine(lines)
  opened.move()
  return { lines, head, size }
}

const writeWhole = async (file: FileHandle, bytes: Buffer): Promise<void> => {
  for (let at = 0; at < bytes.length; ) at += (await file.write(bytes, at)).bytesWritten
}

/** Not every file system can do so. */
const syncNames = (directory: FileHandle): Promise<void> => directory.sync().catch(() => {})

/** Whether it is what the path leads to. An error other than "not there" says nothing of that. */
const isAt = async (path: string, file: FileHandle): Promise<boolean> => {
  const [there, own] = await Promise.all([stat(path).catch(unlessMissing), file.stat()])
  return there === 'unknown' || (there?.ino === own.ino && there.dev === own.dev)
}

const unlessMissing = ({ code }: NodeJS.ErrnoException): undefined | 'unknown' =>
  code === 'ENOENT' || code === 'ENOTDIR' ? undefined : 'unknown'

/** Cuts off half a line: whoever asked has never got an answer. */
const endOfLastLine = async (file: FileHandle): Promise<number> => {
  const { size } = await file.stat()
  const end = (await lastIndexOfLineFeed(file, size)) + 1
  if (end < size) await file.truncate(end)
  return end
}

const lastIndexOfLineFeed = async (file: FileHandle, before: number): Promise<number> => {
  const piece = Buffer.alloc(PIECE_BYTES)
  for (let end = before; end > 0; ) {
    const start = Math.max(0, end - PIECE_BYTES)
    const { bytesRead } = await file.read(piece, 0, end - start, start)
    const at = piece.subarray(0, bytesRead).lastIndexOf(LINE_FEED)
    if (at >= 0) return start + at
    end = start
  }
  return -1
}

/** Of the last line of a file that ends with a line feed at `size`; undefined for an empty file. */
const headOf = async (file: FileHandle, size: number): Promise<AuditHead | undefined> => {
  if (size === 0) return undefined
  const start = (await lastIndexOfLineFeed(file, size - 1)) + 1
  const line = Buffer.alloc(Math.min(size - 1 - start, LONGEST_READ_BYTES + 1))
  await file.read(line, 0, line.length, start)
  // When somebody has written into it, the chain tells.
  return { seq: parseLine(line)?.seq ?? 0, hash: hash('sha256', line) }
}

/**
 * The number of the oldest line that is kept, as the newest file names it: what is before was removed by an agent, and
 * nothing else may be missing. Older agents did not name it, but have removed files only when there were too many:
 * undefined when they may have.
 */
export const firstKept = async (directory: string): Promise<number | undefined> => {
  const full = await fullFiles(directory)
  for (const name of [AUDIT_FILE, ...full.toReversed()]) {
    const line = await firstLineOf(directory, name)
    if (line === 'none') continue // A rotation was not finished.
    if (line?.outcome === 'rotated' && Number.isSafeInteger(line.first)) return line.first
    break
  }
  return full.length < KEEP_FILES ? 1 : undefined
}

const oldestLine = async (directory: string): Promise<AuditLine | undefined> => {
  for (const name of [...(await fullFiles(directory)), AUDIT_FILE]) {
    const line = await firstLineOf(directory, name)
    if (line !== 'none') return line
  }
  return undefined
}

/** Undefined when it is none of the trail's. */
const firstLineOf = async (directory: string, name: string): Promise<AuditLine | undefined | 'none'> => {
  await using file = await openLines(directory, name)
  if (!file) return 'none'
  const piece = Buffer.alloc(PIECE_BYTES)
  let bytes = Buffer.alloc(0)
  for (let end = -1; end < 0 && bytes.length <= LONGEST_READ_BYTES; end = bytes.indexOf(LINE_FEED)) {
    const { bytesRead } = await file.read(piece, 0, PIECE_BYTES, bytes.length)
    if (bytesRead === 0) return bytes.length === 0 ? 'none' : undefined
    bytes = Buffer.concat([bytes, piece.subarray(0, bytesRead)])
  }
  return parseLine(bytes.subarray(0, bytes.indexOf(LINE_FEED)))
}

/** After a rotation that was not finished. */
const headOfNewestFull = async (directory: string): Promise<AuditHead | undefined> => {
  const newest = (await fullFiles(directory)).at(-1)
  if (newest === undefined) return undefined
  await using file = await open(join(directory, newest))
  return await headOf(file, (await file.stat()).size)
}

const openHeadFile = (path: string): Promise<FileHandle> =>
  open(path, 'r+').catch(async (error: NodeJS.ErrnoException) => {
    if (error.code !== 'ENOENT') throw error
    return open(path, 'w+', 0o600)
  })

/** The names of the full files of a trail, oldest first. */
export const fullFiles = async (directory: string): Promise<string[]> => {
  const names = await namedFull(directory)
  return (await fileNamedEarly(directory, names)) === undefined ? names : names.slice(0, -1)
}

const namedFull = async (directory: string): Promise<string[]> =>
  (await readdir(directory)).filter(isFullFileName).sort()

/**
 * The name of a full one that the file which lines are added to has got already: a rotation is under way, or was not
 * finished.
 */
const fileNamedEarly = async (directory: string, names?: readonly string[]): Promise<string | undefined> => {
  const newest = (names ?? (await namedFull(directory))).at(-1)
  if (newest === undefined) return undefined
  const found = [newest, AUDIT_FILE].map(name => stat(join(directory, name), { bigint: true }))
  const [full, current] = await Promise.all(found.map(one => one.catch(() => undefined)))
  return full && current && full.ino === current.ino && full.dev === current.dev ? newest : undefined
}

/** The lines of a file of the trail; none of the one that lines are added to when a rotation has not begun it yet. */
export const openLines = async (directory: string, name: string): Promise<FileHandle | undefined> =>
  open(join(directory, name)).catch(async (error: NodeJS.ErrnoException) => {
    const isBetween =
      name === AUDIT_FILE && error.code === 'ENOENT' && (await namedFull(directory)).length > 0
    if (!isBetween) throw error
    return undefined
  })

/** Not every file system has links. */
const NO_LINKS = new Set(['EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS'])

const PIECE_BYTES = 64 << 10
const LINE_FEED = 0x0a
const HEAD_BYTES = 128
