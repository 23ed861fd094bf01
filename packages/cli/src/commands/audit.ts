import { createReadStream, existsSync } from 'node:fs'
import { join } from 'node:path'
import { type AuditEntry, type AuditKey, type AuditPage, auditGroups } from '@hotline/protocol/audit'
import { HeadBook, HeadsRefused } from '@hotline/server/audit/head-book'
import { PublicKeyText } from '@hotline/server/audit/signed-head'
import { type ChainProof, verifyExport } from '@hotline/server/audit/verify-export'
import { verifyLog } from '@hotline/server/audit/verify-log'
import type { DatabasePlace } from '@hotline/server/log/open-database'
import { openToProve } from '@hotline/server/log/open-to-prove'
import { type Command, Option } from 'commander'
import type { z } from 'zod'
import { inLine } from '../approval-card.ts'
import { confirmingPassword } from '../confirm-password.ts'
import { fail } from '../failure.ts'
import { printWhole } from '../print-whole.ts'
import type { CommandContext } from './context.ts'

interface Filters {
  from?: string
  to?: string
  actor?: string
  group?: string
  type?: string
  session?: string
  project?: string
  text?: string
}

type Keys = z.infer<typeof AuditKey>

interface VerifyOptions {
  session?: string
  heads?: string
  key?: string
}

/** `audit`: who decided, stopped, allowed and let in what; to be read, taken away, and proven. */
export function addAuditCommands(program: Command, context: CommandContext): void {
  const audit = program
    .command('audit')
    .description(
      'who decided, stopped, allowed and let in what; "audit export" and "audit verify" take it away and prove it',
    )
  filtered(audit.command('ls', { isDefault: true }).description('the newest lines, newest last'))
    .option('--limit <n>', 'lines', '50')
    .action(async ({ limit, ...filters }: Filters & { limit: string }) => {
      const query = await queryOf(filters, context)
      const entries = await newest(context, query, wholeNumber(limit))
      context.print(entries, entries.toReversed().map(entryLine).join(''))
    })

  filtered(
    audit
      .command('export')
      .description('print all of it, or with --chain the log itself, to be proven without a server'),
  )
    .addOption(new Option('--csv', 'as a table').conflicts(['ndjson', 'chain']))
    .addOption(new Option('--ndjson', 'as lines of JSON (the default)').conflicts('chain'))
    .option('--chain', 'every event as it is stored, with its hash; of --session <session>, or --all')
    .option('--all', 'with --chain: all that the server has (admins)')
    .action(async (given: Filters & { csv?: true; chain?: true; all?: true }) => {
      const { csv, chain, all, ...filters } = given
      const query = await queryOf(filters, context)
      if (chain) checkChain(query, all === true)
      const path = chain ? '/api/audit/chain' : '/api/audit/export'
      if (!chain) query.set('format', csv ? 'csv' : 'ndjson')
      await printWhole(await context.server().download(`${path}?${query}`))
    })

  audit
    .command('key')
    .description('the public key by which signed heads of this server are proven, and those before it')
    .action(async () => {
      const keys = await context.server().get<Keys>('/api/audit/key')
      context.print(keys, keysText(keys))
    })

  audit
    .command('rotate-key')
    .description('have heads signed with a new key from now on (admins); the one before signs that it comes after it')
    .option('--with-password', 'read your password from standard input')
    .action(async ({ withPassword }: { withPassword?: true }) => {
      const keys = await confirmingPassword(context, withPassword ? 'standard input' : 'terminal', () =>
        context.server().once<Keys>('POST', '/api/audit/key'),
      )
      context.print(keys, keysText(keys))
    })

  audit
    .command('verify')
    .description(
      'prove the log of the server on this machine, at work or not, or an export; ends with 1 where it does not hold',
    )
    .argument('[file]', 'what "audit export --chain" printed')
    .option('--session <session>', 'this session alone, by its whole id')
    .option('--heads <file>', 'heads that the server signed and that were kept elsewhere')
    .option('--key <key>', 'its public key, as "audit key" prints it')
    .action(async (file: string | undefined, options: VerifyOptions) => {
      const heads = await readHeads(options)
      if (file !== undefined && options.session !== undefined)
        throw fail('invalid_request', 'A file is verified whole: leave --session out.')
      const proof =
        file === undefined ? await verifyHere(context, options.session, heads) : await verifyExport(open(file), heads)
      context.print(proof, proofText(proof, heads !== undefined))
      if (proof.faults.length > 0) context.exit(1)
    })
}

/** The one that signs now in a line by itself. */
function keysText({ key, before }: Keys): string {
  return [inLine(key), ...before.map((one) => `${inLine(one.key)} until ${inLine(one.until)}`), ''].join('\n')
}

function filtered(command: Command): Command {
  return command
    .option('--from <time>', '2026-01-31 or 2026-01-31T12:00:00Z, UTC')
    .option('--to <time>', 'before this time')
    .option('--actor <who>', 'an id, or the name of an account')
    .addOption(new Option('--group <group>', 'what it is about').choices(auditGroups))
    .option('--type <type>', 'of event, for example approval.resolved')
    .option('--session <session>', 'its id, or the beginning of it')
    .option('--project <project>', 'its id')
    .option('--text <text>', 'in what it is about, what came of it, names, digests')
}

async function queryOf(filters: Filters, context: CommandContext): Promise<URLSearchParams> {
  const query = new URLSearchParams()
  for (const [name, value] of Object.entries(filters)) if (value !== undefined) query.set(name, String(value))
  if (filters.session !== undefined) query.set('session', (await context.server().findSession(filters.session)).session)
  return query
}

function checkChain(query: URLSearchParams, isAll: boolean): void {
  const others = [...query.keys()].filter((name) => name !== 'session')
  if (others.length > 0) throw fail('invalid_request', `A chain with holes proves nothing: leave --${others[0]} out.`)
  if (query.has('session') === isAll)
    throw fail('invalid_request', 'Say of what: --session <session>, or --all for all that the server has.')
}

async function newest(context: CommandContext, query: URLSearchParams, wanted: number): Promise<readonly AuditEntry[]> {
  const entries: AuditEntry[] = []
  for (let next: string | null = ''; next !== null && entries.length < wanted;) {
    const page: URLSearchParams = new URLSearchParams(query)
    page.set('limit', String(Math.min(200, wanted - entries.length)))
    if (next !== '') page.set('before', next)
    const answer: AuditPage = await context.server().get(`/api/audit?${page}`)
    entries.push(...answer.entries)
    next = answer.next
  }
  return entries
}

function entryLine({ at, actor, name, about, outcome, title, channel, address }: AuditEntry): string {
  const who = inLine(name ?? `${actor.kind} ${actor.id}`)
  const what = [title, about].filter((one) => one !== null).map(inLine)
  const where = [channel, address].filter((one) => one !== null).map(inLine)
  return `${at}  ${who}: ${inLine(outcome)}${what.length > 0 ? ` [${what.join(' · ')}]` : ''}${where.length > 0 ? ` (${where.join(', ')})` : ''}\n`
}

function wholeNumber(text: string): number {
  if (!/^[1-9][0-9]{0,5}$/.test(text)) throw fail('invalid_request', `--limit takes a whole number, not "${text}".`)
  return Number(text)
}

async function readHeads({ heads, key }: VerifyOptions): Promise<HeadBook | undefined> {
  if (heads === undefined && key === undefined) return undefined
  if (heads === undefined || key === undefined)
    throw fail('invalid_request', 'Heads prove something with the key that signed them: give --heads and --key.')
  if (!PublicKeyText.safeParse(key).success)
    throw fail('invalid_request', `"${key}" is no public key: it begins with ed25519: ("hotline audit key" prints it).`)
  try {
    return await HeadBook.read(open(heads), key)
  } catch (error) {
    if (error instanceof Error && error.name === HeadsRefused.name) throw fail('invalid_request', error.message)
    throw error
  }
}

/** Throws a `Failure` where there is no such file. */
function open(file: string): AsyncIterable<Uint8Array> {
  if (!existsSync(file)) throw fail('not_found', `There is no file ${file}.`)
  return createReadStream(file)
}

async function verifyHere(
  context: CommandContext,
  session: string | undefined,
  heads: HeadBook | undefined,
): Promise<ChainProof> {
  const { dataDir, databaseUrl } = context.settings()
  if (databaseUrl === undefined && !existsSync(join(dataDir, 'hotline.db')))
    throw fail('not_found', `There is no log in ${dataDir}. Verify an export, or set HOTLINE_DATA_DIR.`)
  const place: DatabasePlace =
    databaseUrl === undefined ? { kind: 'sqlite', dir: dataDir } : { kind: 'postgres', url: databaseUrl }
  const log = await openToProve(place)
  try {
    return await verifyLog(log, session === undefined ? 'all' : `session:${session}`, heads)
  } finally {
    await log[Symbol.asyncDispose]()
  }
}

function proofText({ streams, events, heads, faults, of }: ChainProof, withHeads: boolean): string {
  const bad = faults.map(({ stream, seq, what }) => {
    const place = seq === 0 ? stream || 'the file' : `${stream} event ${seq}`
    return `FAIL ${inLine(place)}: ${inLine(what)}\n`
  })
  const scope = of === 'all' || of === '' ? '' : ` of ${inLine(of)}`
  const met = withHeads ? `, and ${heads} signed heads fit` : ''
  const good = `${events} events in ${streams} ${streams === 1 ? 'stream' : 'streams'}${scope} hold${met}.\n`
  const hint =
    withHeads || faults.length > 0
      ? ''
      : 'Whoever can write the log can make all of it anew: only heads kept elsewhere tell (--heads).\n'
  return `${bad.join('')}${good}${hint}`
}
