import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { ConfigError, readConfig } from './config/read-config.ts'
import { giveHeapRoom } from './machine/heap-room.ts'
import { startServer } from './start-server.ts'

/**
 * The server as a process: settings from the environment, one line of JSON on standard output once it is ready, and an
 * orderly end on SIGTERM or SIGINT.
 */
async function main(): Promise<void> {
  // Whatever is written is this user's alone.
  process.umask(0o077)
  giveHeapRoom()
  const pageDir = join(dirname(fileURLToPath(import.meta.url)), '../../web/dist')
  const server = await startServer(readConfig(process.env), pageDir)
  const { url, local, port, bootstrap, notices } = server
  process.stdout.write(`${JSON.stringify({ ready: true, url, local, port, bootstrap, notices })}\n`)
  const stop = (): void => {
    // A second signal ends it at once: the log is safe at any moment.
    process.once('SIGINT', () => process.kill(process.pid, 'SIGKILL'))
    server[Symbol.asyncDispose]().then(
      () => {
        process.exitCode = 0
      },
      (error: unknown) => {
        console.error(error)
        process.exitCode = 1
      },
    )
  }
  process.once('SIGTERM', stop)
  // Started with a channel, it ends with whoever started it, however that one went.
  process.once('disconnect', stop)
  process.channel?.unref()
  process.once('SIGINT', stop)
}

main().catch((error: unknown) => {
  // What a person can mend is said in a sentence; anything else is a fault of ours.
  console.error(error instanceof ConfigError || isSaid(error) ? `hotline server: ${error.message}` : error)
  process.exitCode = 1
})

/** Errors of opening the data directory carry their own advice. */
function isSaid(error: unknown): error is Error {
  return error instanceof Error && ['DirectoryInUse', 'DatabaseRefused', 'StoreUnavailable'].includes(error.name)
}
