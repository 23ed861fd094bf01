import type { KeyRow } from '@hotline/protocol/http'
import { type Command, Option } from 'commander'
import { inLine } from '../approval-card.ts'
import { confirmingPassword } from '../confirm-password.ts'
import { fail } from '../failure.ts'
import type { CommandContext } from './context.ts'

interface MakeOptions {
  kind: 'pat' | 'svc' | 'run'
  days: string
  scope?: string[]
  project?: string[]
  withPassword?: boolean
}

const kinds: Record<string, string> = {
  pat: 'person',
  svc: 'service',
  run: 'runner',
  ses: 'browser',
  inv: 'invite',
  rst: 'link',
}

/** `keys`: personal tokens, keys of services and keys of machines that run agents. */
export function addKeyCommands(program: Command, context: CommandContext): void {
  const keys = program.command('keys').description('list keys; "keys make" and "keys revoke" change them')
  keys.action(async () => {
    const { keys: rows } = await context.server().get<{ keys: KeyRow[] }>('/api/keys')
    context.print(rows, rows.map(rowLine).join(''))
  })

  keys
    .command('make')
    .description('make a key; its secret is printed now and never again')
    .argument('<name>', 'what it is for')
    .addOption(
      new Option('--kind <kind>', 'whose: a service, a machine that runs agents, or your own')
        .choices(['svc', 'run', 'pat'])
        .default('svc'),
    )
    .option('--days <days>', 'until it expires, at most 365', '90')
    .option('--scope <scope...>', 'read, write, decide, decide_high, admin (default: all that you may do)')
    .option('--project <project...>', 'ids of the projects that it is limited to (default: all of yours)')
    .option('--with-password', 'read your password from standard input, and have it checked')
    .action(async (name: string, { kind, days, scope, project, withPassword }: MakeOptions) => {
      if (!/^[0-9]{1,3}$/.test(days)) throw fail('invalid_request', `--days takes a whole number, not "${days}".`)
      const body = {
        kind,
        name,
        days: Number(days),
        ...(scope === undefined ? {} : { scopes: scope }),
        ...(project === undefined ? {} : { projects: project }),
      }
      const made = await confirmingPassword(context, withPassword ? 'standard input' : 'terminal', () =>
        context.server().once<KeyRow & { token: string }>('POST', '/api/keys', body),
      )
      if (!context.json) context.note(`It is shown once, and works until ${made.expiresAt}. Its id is ${made.key}.`)
      context.print(made, `${made.token}\n`)
    })

  keys
    .command('exchange')
    .description(
      'for the API key of a service in HOTLINE_TOKEN: print a token of the same rights that works ten minutes',
    )
    .action(async () => {
      const { token, expiresAt } = await context
        .server()
        .once<{ token: string; expiresAt: string }>('POST', '/api/auth/token')
      context.print({ token, expiresAt }, `${inLine(token)}\n`)
    })

  keys
    .command('revoke')
    .description('end a key, and what is connected by it, at once')
    .argument('<key>', 'id')
    .action(async (key: string) => {
      await context.server().once('DELETE', `/api/keys/${encodeURIComponent(key)}`)
      context.print({ key, revoked: true }, 'revoked\n')
    })
}

function rowLine({ key, kind, name, scopes, expiresAt, lastUsedAt }: KeyRow): string {
  const used = lastUsedAt === null ? 'never used' : `used ${lastUsedAt}`
  const what = `${(kinds[kind] ?? kind).padEnd(8)} ${inLine(name)}`
  return `${key}  ${what} (${[scopes.join(', '), `until ${expiresAt}`, used].filter((part) => part !== '').join('; ')})\n`
}
