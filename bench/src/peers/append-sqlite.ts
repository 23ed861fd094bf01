import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { misplacedIn, runAppendLoop } from './append-loop.ts'

// What one writes with node:sqlite: WAL, every commit synced, one transaction for each batch, and the head of the
// stream kept beside the events. Checkpoints as SQLite does them by itself.

await runAppendLoop(({ directory }) => {
  const database = new DatabaseSync(join(directory, 'raw.db'))
  database.exec(`
    PRAGMA journal_mode = WAL;
    PRAGMA synchronous = FULL;
    CREATE TABLE streams (stream TEXT PRIMARY KEY, head INTEGER NOT NULL) WITHOUT ROWID;
    CREATE TABLE events (stream TEXT NOT NULL, seq INTEGER NOT NULL, bytes BLOB NOT NULL, PRIMARY KEY (stream, seq))
      WITHOUT ROWID;
    INSERT INTO streams VALUES ('session:bench', 0);
  `)
  const insert = database.prepare(`INSERT INTO events VALUES ('session:bench', ?, ?)`)
  const moveHead = database.prepare(`UPDATE streams SET head = ? WHERE stream = 'session:bench'`)
  let head = 0
  return {
    commit: (events) => {
      database.exec('BEGIN IMMEDIATE')
      for (const bytes of events) insert.run(++head, bytes)
      moveHead.run(head)
      database.exec('COMMIT')
    },
    misplaced: (acknowledged) => {
      const row = database.prepare('SELECT count(*) AS count, max(seq) AS max FROM events').get()
      return misplacedIn({ count: Number(row?.['count']), max: Number(row?.['max']) }, acknowledged)
    },
    close: () => database.close(),
  }
})
