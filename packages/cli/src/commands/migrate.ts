import { join } from 'node:path'
import { BackupRefused, takeBackup } from '@hotline/server/ops/backup'
import type { DatabasePlace } from '@hotline/server/log/open-database'
import { bringUpToDate, refuseWhereUsed, type SchemaStanding, schemaStanding } from '@hotline/server/ops/migrate'
import type { Command } from 'commander'
import { fail } from '../failure.ts'
import type { CommandContext } from './context.ts'

/** With which it ends where something is due and nothing was done, as `doctor` does. */
const exitDue = 1

/** `migrate`: the schema of the log on this machine, before a new Hotline is started. */
export function addMigrateCommand(program: Command, context: CommandContext): void {
  program
    .command('migrate')
    .description('bring the log of the server on this machine up to date; its start does the same, without a copy')
    .option('--check', 'only say whether something is due')
    .option('--backup <folder>', 'a new folder for the copy that is made first')
    .option('--no-backup', 'without a copy')
    .action(async ({ check, backup }: { check?: true; backup?: string | false }) => {
      const { dataDir, databaseUrl } = context.settings()
      const place: DatabasePlace =
        databaseUrl === undefined ? { kind: 'sqlite', dir: dataDir } : { kind: 'postgres', url: databaseUrl }
      const { step, wanted } = await orFail(() => schemaStanding(place))
      if (step === wanted) return context.print({ step, wanted }, `Nothing is due: the log is at step ${step}.\n`)
      const due = `The log is at step ${step}; this Hotline wants ${wanted}.`
      if (check) {
        context.print({ step, wanted }, `${due} Run "hotline migrate", or start the server, which does the same.\n`)
        return context.exit(exitDue)
      }
      await orFail(async () => refuseWhereUsed(place))
      const copied = backup === false ? undefined : await copyFirst(context, { step, wanted }, backup)
      const kept = copied === undefined ? '' : ` The copy of before is ${copied}.`
      await orFail(
        () => bringUpToDate(place),
        `${kept} The log is as it was before the step that failed: start the Hotline that it was made with, or ask for help.`,
      )
      context.print({ step: wanted, before: step, backup: copied }, `Went from step ${step} to ${wanted}.${kept}\n`)
    })
}

async function copyFirst(
  context: CommandContext,
  { step, wanted }: SchemaStanding,
  folder: string | undefined,
): Promise<string> {
  const { dataDir, databaseUrl } = context.settings()
  if (databaseUrl !== undefined) {
    throw fail(
      'invalid_request',
      'The log is in PostgreSQL: end its servers, copy it with pg_dump, and then run "hotline migrate --no-backup".',
    )
  }
  const now = new Date().toISOString()
  const to = folder ?? join(dataDir, 'backups', `step-${step}-before-${wanted}-${now.replaceAll(/[:.]/g, '-')}`)
  process.umask(0o077)
  await orFail(async () => takeBackup({ dataDir, databaseUrl }, to, now))
  return to
}

/** What the log or the disk refuses, in their words; the rest is a bug. */
async function orFail<T>(work: () => Promise<T>, more = ''): Promise<T> {
  try {
    return await work()
  } catch (error) {
    if (!(error instanceof Error)) throw error
    const isRefused = ['DatabaseRefused', 'DirectoryInUse', BackupRefused.name].includes(error.name)
    if (isRefused) throw fail('invalid_request', `${error.message}${more}`)
    if ('code' in error) throw fail('storage_unavailable', `It could not be done: ${error.message}.${more}`)
    throw error
  }
}
