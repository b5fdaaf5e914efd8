import assert from 'node:assert/strict'
import { test } from 'node:test'
import { COLUMNS } from '../../../../lib/store/sqlite/job-columns.ts'
import { scratchDatabase } from '../../../support/scratch-database.ts'

for (const table of ['jobs', 'recent_jobs']) {
  test(`each column of the table ${table} is named once`, () => {
    const rows = scratchDatabase().prepare('SELECT name FROM pragma_table_info(?)').all(table)
    assert.deepEqual(COLUMNS.map(({ name }) => name).sort(), rows.map(({ name }) => name).sort())
  })
}
