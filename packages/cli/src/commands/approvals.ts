import { createInterface } from 'node:readline/promises'
import { openApprovals } from '@hotline/core/session/state'
import type { Content, TranscriptWindow } from '@hotline/protocol/http'
import { asKnown } from '@hotline/protocol/events'
import type { Command } from 'commander'
import { type ApprovalCard, approvalCard } from '../approval-card.ts'
import type { Server } from '../ask-server.ts'
import { fail } from '../failure.ts'
import type { CommandContext } from './context.ts'

/** Events that are read at once in search of what was asked. */
const windowEvents = 500

interface Found {
  session: string
  card: ApprovalCard
  /** An approval that was named by its id is one request for good; that of a session may be another than was read. */
  named: 'approval' | 'session'
}

interface DecideOptions {
  reason?: string
  yes?: boolean
}

/** `approve` and `deny`: what is decided is shown first, and the decision is bound to exactly that. */
export function addApprovalCommands(program: Command, context: CommandContext): void {
  for (const [name, verdict] of [
    ['approve', 'allow'],
    ['deny', 'deny'],
  ] as const) {
    const command = program
      .command(name)
      .description(`${verdict} what an agent asks; name the approval, or the session where it asks only one thing`)
      .argument('<approval-or-session>', 'id, or the beginning of it')
      .option('--reason <text>', 'told to the agent where it can hear it')
    if (verdict === 'allow') command.option('--yes', 'allow what a session asks now without being asked back')
    command.action(async (text: string, options: DecideOptions) => {
      const server = context.server()
      const { session, card, named } = await findCard(server, text)
      if (!context.json) context.write(`${card.lines.join('\n')}\n`)
      if (verdict === 'allow') {
        if (card.unfit !== undefined) throw fail('digest_mismatch', card.unfit)
        if (named === 'session' && !options.yes) await askBack(context, card)
      }
      const accepted = await server.command(`session:${session}`, 'approval.decide', {
        approval: card.approval,
        digest: card.digest,
        verdict,
        ...(options.reason === undefined ? {} : { reason: options.reason }),
      })
      context.print(accepted, verdict === 'allow' ? 'allowed\n' : 'denied\n')
    })
  }
}

async function askBack({ stdin }: CommandContext, { approval }: ApprovalCard): Promise<void> {
  if (!stdin.isTTY) {
    throw fail(
      'invalid_request',
      `Name what was read (hotline approve ${approval}), or say --yes for whatever is asked now.`,
    )
  }
  const lines = createInterface({ input: stdin, output: process.stderr })
  try {
    const answer = await lines.question('Allow exactly this? [y/N] ')
    if (!/^y(es)?$/i.test(answer.trim())) throw fail('invalid_request', 'Nothing was decided.')
  } finally {
    lines.close()
  }
}

/** By the approval's id or the beginning of it, or the only open one of a session. */
async function findCard(server: Server, text: string): Promise<Found> {
  const rows = await server.sessions()
  const byApproval = rows.filter(({ openApprovals: open }) => open.some((approval) => approval.startsWith(text)))
  const bySession = rows.filter(({ session }) => session.startsWith(text))
  const [row, another] = byApproval.length > 0 ? byApproval : bySession
  if (!row) throw fail('not_found', `There is no open approval and no session "${text}". See: hotline ls`)
  if (another) throw fail('invalid_request', `Several begin with "${text}". Give more of the id.`)
  const { state } = await server.state(row.session)
  const open = openApprovals(state).filter(({ approval }) => byApproval.length === 0 || approval.startsWith(text))
  const [only, further] = open
  if (!only) throw fail('not_found', 'This session asks nothing now.')
  if (further) {
    throw fail('invalid_request', `Several are open; name one of: ${open.map(({ approval }) => approval).join(', ')}`)
  }
  const card = await readCard(server, row.session, only.approval)
  if (card.digest !== only.digest) throw fail('digest_mismatch', 'What was asked has changed. Look again.')
  // Ids of one minute begin alike: the beginning of one names nothing for good.
  return { session: row.session, card, named: only.approval === text ? 'approval' : 'session' }
}

/** What was asked is in the log, not in the state: looked for from the end of the session. */
async function readCard(server: Server, session: string, approval: string): Promise<ApprovalCard> {
  for (let before: number | null | undefined; before !== null;) {
    const from: string = before === undefined ? '' : `&before=${before}`
    const window: TranscriptWindow = await server.get(
      `/api/sessions/${session}/transcript?limit=${windowEvents}${from}`,
    )
    for (const event of window.events) {
      const known = asKnown(event)
      if (known?.type !== 'approval.requested' || known.data.approval !== approval) continue
      const digest = known.body?.content?.digest
      if (digest === undefined) return approvalCard(known, approval)
      const content: Content = await server.get(`/api/sessions/${session}/content/${digest}`)
      return approvalCard(known, approval, content.text)
    }
    before = window.before
  }
  throw fail('not_found', 'What was asked is not in the log.')
}
