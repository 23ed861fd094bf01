import type { HolderReach } from '../process/local-holder.ts'
import { Keeper } from './keeper.ts'

/** Runs as a process of its own, in a session of the kernel's of its own, and outlives the runner that started it. */
async function main(folder: string, reach: HolderReach): Promise<void> {
  process.umask(0o077)
  const over = Promise.withResolvers<void>()
  const keeper = new Keeper(folder, reach, () => over.resolve())
  await keeper.open()
  // Ctrl-C and the end of a terminal are for the runner, which ends its agents in order.
  for (const signal of ['SIGINT', 'SIGHUP', 'SIGPIPE'] as const) process.on(signal, () => undefined)
  process.on('SIGTERM', () => over.resolve())
  await over.promise
  await keeper[Symbol.asyncDispose]()
}

const [, , folder, reach] = process.argv
if (folder !== undefined) {
  try {
    await main(folder, reach === 'scan' || reach === 'namespace' ? reach : 'best')
  } catch (error) {
    process.stderr.write(`hotline-keeper: ${String(error)}\n`)
    process.exitCode = 1
  }
}
