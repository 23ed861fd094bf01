import type {
  WebhookDeliveries,
  WebhookDelivery,
  WebhookPage,
  WebhookRow,
  WebhookSecret,
  WebhookTried,
} from '@hotline/protocol/webhooks'
import type { Command } from 'commander'
import { inLine } from '../approval-card.ts'
import { confirmingPassword } from '../confirm-password.ts'
import { fail } from '../failure.ts'
import { namedBy } from '../find-id.ts'
import { projectOr } from '../read-tasks.ts'
import { shownIdChars } from '../session-row.ts'
import type { CommandContext } from './context.ts'

interface HookOptions {
  project?: string
  description?: string
  dead?: true
  withPassword?: true
}

const collect = (one: string, all: string[] = []): string[] => [...all, one]

/** `webhooks`: where what happens in a project is posted to. */
export function addWebhookCommands(program: Command, context: CommandContext): void {
  const webhooks = program.command('webhooks').description('where what happens in a project is posted to, signed')
  webhooks.option('--project <project>', 'id of the project (default: the first one)')
  webhooks.action(async () => {
    const { path } = await place(context, webhooks)
    const { webhooks: rows } = await context.server().get<WebhookPage>(path)
    context.print(rows, rows.length === 0 ? 'There are none.\n' : rows.map(rowText).join(''))
  })
  const named = (name: string, what: string): Command =>
    webhooks.command(name).description(what).argument('<webhook>', 'id, or the beginning of it')
  const confirmed = (command: Command): Command =>
    command.option('--with-password', 'read your password from standard input, and have it checked')

  confirmed(webhooks.command('add'))
    .description('posts events somewhere; the secret that its receiver checks them with is printed once')
    .argument('<url>', 'https, on the internet')
    .requiredOption('--event <type>', 'a type of events, or a family (approval.*); may be given again', collect)
    .option('--description <text>', 'what it is for', '')
    .action(async (url: string, { event, description, withPassword }: HookOptions & { event: string[] }) => {
      const { path } = await place(context, webhooks)
      const made = await confirmingPassword(context, from(withPassword), () =>
        context.server().once<WebhookSecret>('POST', path, { url, events: event, description }),
      )
      if (!context.json) context.note(`Its secret is shown once. Its id is ${made.webhook}.`)
      context.print(made, `${made.secret}\n`)
    })

  for (const [name, enabled, what] of [
    ['on', true, 'turns one on; what came while it was off is posted first'],
    ['off', false, 'turns one off until it is turned on again'],
  ] as const) {
    confirmed(named(name, what)).action(async (text: string, { withPassword }: HookOptions) => {
      const { row, path } = await find(context, webhooks, text)
      await confirmingPassword(context, from(withPassword), () => context.server().once('PUT', path, { enabled }))
      context.print({ webhook: row.webhook, enabled }, `${inLine(row.url)} is ${name}.\n`)
    })
  }

  confirmed(named('rotate', 'makes a new secret; the one before counts for another 24 hours')).action(
    async (text: string, { withPassword }: HookOptions) => {
      const { path } = await find(context, webhooks, text)
      const made = await confirmingPassword(context, from(withPassword), () =>
        context.server().once<WebhookSecret>('POST', `${path}/rotate`),
      )
      context.print(made, `${made.secret}\n`)
    },
  )

  named('remove', 'posts nothing there any more, and forgets what has not arrived').action(async (text: string) => {
    const { row, path } = await find(context, webhooks, text)
    await context.server().once('DELETE', path)
    context.print({ webhook: row.webhook, removed: true }, `Nothing is posted to ${inLine(row.url)} any more.\n`)
  })

  named('test', 'posts a test, and says whether it was taken').action(async (text: string) => {
    const { path } = await find(context, webhooks, text)
    tell(context, await context.server().once<WebhookTried>('POST', `${path}/test`))
  })

  named('deliveries', 'what has not arrived, why, and when it is tried again')
    .option('--dead', 'only what was given up')
    .action(async (text: string, { dead }: HookOptions) => {
      const { path } = await find(context, webhooks, text)
      const { deliveries } = await context
        .server()
        .get<WebhookDeliveries>(`${path}/deliveries${dead ? '?state=dead' : ''}`)
      const none = dead ? 'Nothing was given up.\n' : 'Everything arrived, or is on its way.\n'
      context.print(deliveries, deliveries.length === 0 ? none : deliveries.map(deliveryText).join(''))
    })

  named('replay', 'posts once more what was given up')
    .argument('<delivery>', 'its id, as "webhooks deliveries" tells it')
    .action(async (text: string, delivery: string) => {
      const { path } = await find(context, webhooks, text)
      const again = `${path}/deliveries/${encodeURIComponent(delivery)}/replay`
      tell(context, await context.server().once<WebhookTried>('POST', again))
    })
}

function from(withPassword: true | undefined): 'standard input' | 'terminal' {
  return withPassword ? 'standard input' : 'terminal'
}

async function place(context: CommandContext, webhooks: Command): Promise<{ path: string }> {
  const { project } = webhooks.opts<HookOptions>()
  const id = await projectOr(context.server(), project)
  return { path: `/api/projects/${encodeURIComponent(id)}/webhooks` }
}

/** One by its id or by the beginning of it. Throws a `Failure` where none or several fit. */
async function find(
  context: CommandContext,
  webhooks: Command,
  text: string,
): Promise<{ row: WebhookRow; path: string }> {
  const { path } = await place(context, webhooks)
  const { webhooks: rows } = await context.server().get<WebhookPage>(path)
  const [row, another] = namedBy(text, rows, ({ webhook }) => webhook)
  if (!row) throw fail('not_found', `No webhook begins with "${text}". See: hotline webhooks`)
  if (another) throw fail('invalid_request', `Several webhooks begin with "${text}". Give more of the id.`)
  return { row, path: `${path}/${encodeURIComponent(row.webhook)}` }
}

/** Says what became of a post; ends the program as a failure where it was not taken. */
function tell(context: CommandContext, tried: WebhookTried): void {
  const { taken, why = 'no reason was given' } = tried
  if (!taken) throw fail('unreachable', `It was not taken: ${inLine(why)}.`)
  context.print(tried, 'It was taken.\n')
}

function rowText({ webhook, url, events, description, enabled }: WebhookRow): string {
  const more = [enabled ? undefined : 'off', description === '' ? undefined : inLine(description)]
  const about = more.filter((part) => part !== undefined).join(', ')
  return `${webhook.slice(0, shownIdChars)}  ${inLine(url)}  ${events.join(' ')}${about === '' ? '' : `  (${about})`}\n`
}

function deliveryText({ id, state, stream, seq, tries, why, dueAt }: WebhookDelivery): string {
  const count = tries === 1 ? 'once' : `${tries} times`
  const next = state === 'dead' ? 'given up' : dueAt === undefined ? 'waits' : `again at ${dueAt}`
  return `${id}  event ${seq} of ${stream}: ${inLine(why)} (tried ${count}, ${next})\n`
}
