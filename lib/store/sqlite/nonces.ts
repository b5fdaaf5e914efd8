import type { NonceStore } from '../nonce-store.ts'
import { type Database, LIMIT } from './database.ts'

export const createNonceStore = (database: Database): NonceStore => {
  const insert = database.prepare('INSERT OR IGNORE INTO nonces (hash, expires) VALUES (?, ?)')
  const find = database.prepare('SELECT 1 FROM nonces WHERE hash = ?')
  const count = database.prepare('SELECT count(*) AS count FROM nonces')
  const findRemovedUntil = database.prepare('SELECT expires FROM nonces_removed')
  const raiseRemovedUntil = database.prepare('UPDATE nonces_removed SET expires = max(expires, ?)')
  const setRemovedUntil = database.prepare('UPDATE nonces_removed SET expires = ?')
  const remove = database.prepare(
    `DELETE FROM nonces
     WHERE hash IN (SELECT hash FROM nonces WHERE expires < ? ORDER BY expires ${LIMIT})
     RETURNING expires`,
  )
  const readRemovedUntil = (): number => (findRemovedUntil.get() as { expires: number }).expires
  let removedUntil = readRemovedUntil()

  return {
    insert: (hash, expiresAt) => insert.run(hash, expiresAt).changes === 1,

    has: hash => find.get(hash) !== undefined,

    removeExpired(time, most) {
      const removed = database.transaction(() => {
        const rows = remove.all(time, most) as { expires: number }[]
        if (rows.length > 0) raiseRemovedUntil.run(Math.max(...rows.map(({ expires }) => expires)))
        return rows.length
      })
      if (removed > 0) removedUntil = readRemovedUntil()
      return removed
    },

    removedUntil: () => removedUntil,

    setRemovedUntil(time) {
      removedUntil = time
      setRemovedUntil.run(time)
    },

    count: () => (count.get() as { count: number }).count,
  }
}
