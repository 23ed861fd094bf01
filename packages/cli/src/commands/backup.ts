import { randomBytes } from 'node:crypto'
import { resolve } from 'node:path'
import { BackupRefused, putBack, takeBackup } from '@hotline/server/ops/backup'
import type { Command } from 'commander'
import { fail } from '../failure.ts'
import type { CommandContext } from './context.ts'

const lifeBytes = 16

/** `backup` and `restore`: everything that the server on this machine keeps. */
export function addBackupCommands(program: Command, context: CommandContext): void {
  program
    .command('backup')
    .description('copy everything that the server on this machine keeps, while it works')
    .argument('<folder>', 'a new folder for the copy')
    .action(async (folder: string) => {
      const { dataDir, databaseUrl } = context.settings()
      const to = resolve(folder)
      await refusably(() => takeBackup({ dataDir, databaseUrl }, to, new Date().toISOString()))
      const beside =
        databaseUrl === undefined ? '' : 'The log itself is in PostgreSQL: copy it with pg_dump, and before.\n'
      context.print(
        { backup: to },
        `Copied ${dataDir} to ${to}. It holds keys: keep it as safe as the original.\n${beside}`,
      )
    })

  program
    .command('restore')
    .description('put a copy back into a data directory that has no log')
    .argument('<folder>', 'a copy that "backup" has made')
    .action(async (folder: string) => {
      const { dataDir, databaseUrl } = context.settings()
      const life = randomBytes(lifeBytes).toString('hex')
      await refusably(() => putBack(resolve(folder), { dataDir, databaseUrl }, life))
      context.print({ dataDir }, `Put back into ${dataDir}. Start it with: hotline up\n`)
    })
}

async function refusably(work: () => void | Promise<void>): Promise<void> {
  // Whatever is written is this user's alone.
  process.umask(0o077)
  try {
    await work()
  } catch (error) {
    if (error instanceof Error && error.name === BackupRefused.name) throw fail('invalid_request', error.message)
    if (error instanceof Error && 'code' in error)
      throw fail('storage_unavailable', `It could not be copied: ${error.message}`)
    throw error
  }
}
