import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { readConfig } from '@hotline/server/config/read-config'
import { noFailpoints } from '@hotline/server/log/failpoints'
import { listsOver } from '@hotline/server/log/lists'
import { openDatabase } from '@hotline/server/log/open-database'
import { Checkpointer } from '@hotline/server/log/sqlite/checkpointer'
import { sqliteMigrations } from '@hotline/server/log/sqlite/migrations'
import { SqliteFile } from '@hotline/server/log/sqlite/sqlite-file'
import { SqliteLogStore } from '@hotline/server/log/sqlite/sqlite-log-store'
import { giveHeapRoom } from '@hotline/server/machine/heap-room'
import { type OpenDatabase, startServer } from '@hotline/server/start-server'

// The server as it is, in a directory of its own. `--commit-off` is the same server whose one transaction never ends:
// events are numbered, hashed and inserted as ever, nothing reaches the write-ahead log and nothing is synced. That is
// what durability is compared with; no setting of the server can do it.

const [dir = '', mode = ''] = process.argv.slice(2)
giveHeapRoom()

class NeverCommitted extends SqliteFile {
  #begun = false

  override begin(): void {
    if (!this.#begun) super.begin()
    this.#begun = true
  }

  override commit(): void {
    // Here it ends in a server that keeps what it says.
  }
}

const neverCommit: OpenDatabase = (_place, { ids }) => {
  mkdirSync(dir, { recursive: true, mode: 0o700 })
  const path = join(dir, 'hotline.db')
  const file = new NeverCommitted({ path, migrations: sqliteMigrations, failpoints: noFailpoints })
  const checkpointer = new Checkpointer(file, noFailpoints)
  const store = new SqliteLogStore({ file, ids, failpoints: noFailpoints, checkpointer })
  const lists = listsOver(file.kysely())
  return Promise.resolve({ store, lists, [Symbol.asyncDispose]: () => store[Symbol.asyncDispose]() })
}

const config = readConfig({
  HOTLINE_DATA_DIR: dir,
  HOTLINE_PORT: '0',
  HOTLINE_LISTEN: '127.0.0.1',
  HOTLINE_LIMIT_SOCKETS_PER_ADDRESS: '20000',
  HOTLINE_LIMIT_SOCKETS_PER_ACCOUNT: '20000',
  HOTLINE_LIMIT_REQUESTS_PER_PRINCIPAL: '10000000',
  HOTLINE_LIMIT_REQUESTS_PER_NETWORK: '10000000',
})
const server = await startServer(config, join(dir, 'no-page'), mode === '--commit-off' ? neverCommit : openDatabase)
const port = Number(new URL(server.url).port)
process.stdout.write(`${JSON.stringify({ port, bootstrap: server.bootstrap?.split('#bootstrap=')[1] ?? '' })}\n`)
process.stdin.resume().once('end', () => void server[Symbol.asyncDispose]())
