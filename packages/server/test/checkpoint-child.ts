// Makes the first checkpoint of a database of its own, and says by how many bytes of memory it has grown. Started by
// checkpoint-memory.test.ts with the path of the database.
import { Checkpointer, checkpointBytes } from '../src/log/sqlite/checkpointer.ts'
import { noFailpoints } from '../src/log/failpoints.ts'
import { sqliteMigrations } from '../src/log/sqlite/migrations.ts'
import { SqliteFile } from '../src/log/sqlite/sqlite-file.ts'

using file = new SqliteFile({ path: process.argv[2] ?? '', migrations: sqliteMigrations, failpoints: noFailpoints })
await using checkpointer = new Checkpointer(file, noFailpoints)
const released = Promise.withResolvers<void>()
checkpointer.onRelease(released.resolve)
// Nobody else keeps the process from ending: its thread does not.
const waiting = setInterval(() => undefined, 1_000)
const before = process.memoryUsage.rss()
checkpointer.wrote(checkpointBytes)
await released.promise
process.stdout.write(String(process.memoryUsage.rss() - before))
clearInterval(waiting)
