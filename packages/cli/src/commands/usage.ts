import { usageGroups, type UsagePage, type UsageRow } from '@hotline/protocol/usage'
import { type Command, Option } from 'commander'
import { inLine } from '../approval-card.ts'
import { fail } from '../failure.ts'
import type { CommandContext } from './context.ts'

const dayMs = 24 * 60 * 60 * 1_000
const daysMax = 3_650

/** `usage`: tokens and cost, as agents told them. */
export function addUsageCommand(program: Command, context: CommandContext): void {
  program
    .command('usage')
    .description('tokens and cost that agents used up, as they told it')
    .addOption(new Option('--by <what>', 'added up by').choices(usageGroups).default('session'))
    .option('--project <id>', 'of this project alone')
    .option('--days <number>', 'of so many days, today the last (UTC)', '30')
    .action(async ({ by, project, days }: { by: string; project?: string; days: string }) => {
      const count = /^[1-9]\d{0,4}$/.test(days) ? Number(days) : 0
      if (count < 1 || count > daysMax) throw fail('invalid_request', `--days is a number from 1 to ${daysMax}.`)
      const from = new Date(Date.now() - (count - 1) * dayMs).toISOString().slice(0, 10)
      const of = project === undefined ? '' : `&project=${encodeURIComponent(project)}`
      const page = await context.server().get<UsagePage>(`/api/usage?by=${by}&from=${from}${of}`)
      const lines = page.rows.map(lineOf).join('')
      const rest = page.more > 0 ? `and ${page.more} more\n` : ''
      context.print(page, page.rows.length === 0 ? 'No agent told of any usage.\n' : `${lines}${rest}`)
    })
}

function lineOf({ key, name, sessions, inputTokens, outputTokens, costs }: UsageRow): string {
  const who = key === null ? 'unknown' : name === null ? inLine(key) : `${inLine(name)}  ${inLine(key)}`
  const money = costs.map(({ amount, currency }) => `${amount.toFixed(2)} ${inLine(currency)}`)
  const facts = [
    who,
    `${sessions} ${sessions === 1 ? 'session' : 'sessions'}`,
    `${inputTokens} in`,
    `${outputTokens} out`,
    ...money,
  ]
  return `${facts.join('  ')}\n`
}
