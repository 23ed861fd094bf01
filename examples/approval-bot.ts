/**
 * Answers what agents ask by a rule of its own, and leaves the rest to people: it allows what is of low risk, denies what
 * a pattern names, and says why. What it decides stands in the log under its own name. What is of high risk takes a person.
 *
 *     HOTLINE_TOKEN=… npx node examples/approval-bot.ts 'rm -rf|git push'
 */
import { openLink } from '@hotline/client/open-link'
import { openSessionList } from '@hotline/client/session-list'
import { asKnown } from '@hotline/protocol/known-event'
import type { AskPage } from '@hotline/protocol/asks'

const { HOTLINE_URL: url = 'http://localhost:4680', HOTLINE_TOKEN: token = '' } = process.env
const forbidden = new RegExp(process.argv[2] ?? 'rm -rf')
const link = openLink({ url, credential: { kind: 'token', token }, client: 'approval-bot' })
const seen = new Set<string>()

/** The list changes whenever something is asked: then what is asked is read, word for word as people see it. */
const list = openSessionList(link)
list.picture.watch(({ sessions }) => {
  if (sessions.some(({ openApprovals }) => openApprovals.some((approval) => !seen.has(approval)))) void answer()
})

async function answer(): Promise<void> {
  const page = await link.request<AskPage>('GET', '/api/asks')
  if (!page.ok) return console.error(page.problem.detail)
  for (const { ask, session, risk, events } of page.value.asks) {
    const asked = events.map(asKnown).find((event) => event?.type === 'approval.requested')
    if (asked?.type !== 'approval.requested' || seen.has(ask)) continue
    seen.add(ask)
    const { title = '', input = '' } = asked.body ?? {}
    const verdict = forbidden.test(`${title}\n${input}`) ? 'deny' : risk === 'low' ? 'allow' : undefined
    if (verdict === undefined) {
      console.log(`left to people: ${title}`)
      continue
    }
    const reason = verdict === 'deny' ? { reason: `This may not match ${forbidden.source}.` } : {}
    // The digest says what was looked at: where the agent asks for something else by now, this is refused.
    const data = { approval: ask, digest: asked.data.digest, verdict, ...reason } as const
    const outcome = await link.command(`session:${session}`, 'approval.decide', data)
    console.log(outcome.ok ? `${verdict}: ${title}` : `not answered (${outcome.problem.detail}): ${title}`)
  }
}
