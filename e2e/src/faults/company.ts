import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { openApprovals, type SessionState } from '@hotline/core/session/state'
import { scriptPrompt } from '@hotline/demo-agent/script'
import type { Envelope } from '@hotline/protocol/event'
import { hasProcess } from '@hotline/testing/process-list'
import { type Intent, scripted } from '@hotline/testing/model/script'
import type { SeededRandom } from '@hotline/testing/seed'
import { waitFor } from '@hotline/testing/wait-for'
import type { Api } from '../api.ts'

/** What sort of agent one has: that talks and asks (scripted, or a real one), a program by lines, a program in a terminal. */
export type MemberKind = 'talk' | 'claude' | 'codex' | 'pipe' | 'terminal'

/** An agent at work, and what people did to it. */
export interface Member {
  readonly kind: MemberKind
  readonly session: string
  readonly pid: number
  /** Where it writes down what it was allowed. */
  readonly answers: string
  /** Numbered words of people that were accepted. */
  sent: number
}

const echo = [process.execPath, fileURLToPath(new URL('children/echo.ts', import.meta.url))]
const deadlineMs = 60_000
const agents = { talk: 'demo', claude: 'claude', codex: 'codex', pipe: 'pipe', terminal: 'command' } as const

/** It takes turns, and asks in each. */
function talks(kind: MemberKind): boolean {
  return kind !== 'pipe' && kind !== 'terminal'
}
/** It asks at least so often in one turn. */
const askTitle = (n: number): string => `ask ${n}`

/** Starts an agent, and waits until it can be talked to. */
export async function startMember(api: Api, kind: MemberKind, cwd: string): Promise<Member> {
  const more = talks(kind) ? { cwd } : { cwd, command: echo, unasked: true as const }
  const session = await api.start(agents[kind], '', more)
  const { pid = 0 } = await api.until(
    session,
    'an agent',
    ({ status, pid: at }) => status === 'active' && at,
    deadlineMs,
  )
  if (kind === 'pipe' || kind === 'terminal') {
    const hasBegun = async (): Promise<boolean> => printed(await api.events(session), kind).includes('<0>')
    await waitFor(hasBegun, { what: `${kind} ${session} to begin`, deadlineMs, everyMs: 100 })
  }
  return { kind, session, pid, answers: join(cwd, `${session}.jsonl`), sent: 0 }
}

/** A person says the next numbered thing to it. Rejects where the session takes nothing any more. */
export async function talkTo(api: Api, member: Member): Promise<void> {
  const { session, kind, answers } = member
  const n = member.sent + 1
  const stream = `session:${session}`
  if (kind === 'terminal') await api.command(stream, 'input.send', { text: `${n}\n`, encoding: 'utf8' })
  else await api.command(stream, 'message.send', { text: kind === 'pipe' ? String(n) : turnOf(kind, n, answers) })
  member.sent = n
}

function turnOf(kind: MemberKind, n: number, record: string): string {
  const before = `said ${n} before it asks`
  const after = `said ${n} after it asked`
  if (kind === 'claude' || kind === 'codex') {
    const run = `printf '%s\\n' '${JSON.stringify({ title: askTitle(n) })}' >> ${record}`
    const escalated = { sandbox_permissions: 'require_escalated', justification: 'to write it down' }
    const call: Intent = kind === 'codex' ? { run, with: escalated } : { run }
    return scripted(`turn ${n}`, { text: before, pieces: 4, calls: [call] }, { text: after, pieces: 3 })
  }
  return scriptPrompt([
    { do: 'say', text: before, chunks: 4, delayMs: 5 },
    { do: 'ask', title: askTitle(n), kind: 'execute', input: { n }, record },
    { do: 'say', text: after, chunks: 3, delayMs: 5 },
  ])
}

/** A person allows what it asks, if it asks something. */
export async function allowOpen(api: Api, { session }: Member): Promise<void> {
  const [open] = openApprovals(await api.state(session))
  if (!open) return
  const { approval, digest } = open
  await api.command(`session:${session}`, 'approval.decide', { approval, digest, verdict: 'allow' })
}

/** People go on with all of them until the signal; one that is gone is left alone. */
export async function keepBusy(
  api: Api,
  members: () => readonly Member[],
  random: SeededRandom,
  pause: () => Promise<unknown>,
  until: AbortSignal,
): Promise<void> {
  while (!until.aborted) {
    await pause()
    const member = random.pick(members())
    try {
      const { status, queue, turn } = await api.state(member.session)
      if (status !== 'active') continue
      // An agent that asks is left asking for a while.
      if (talks(member.kind) && turn) await (random.chance(0.4) ? allowOpen(api, member) : undefined)
      else if (queue.length < 2) await talkTo(api, member)
    } catch {
      // It was ended in between.
    }
  }
}

/** Lets it come to rest, and says everything that was lost, doubled, changed or noticed. */
export async function compareMember(api: Api, member: Member): Promise<string[]> {
  const { session, kind, sent, pid } = member
  const found: string[] = []
  const isAtRest = async (): Promise<boolean> => {
    if (talks(kind)) await allowOpen(api, member)
    const { turn, queue, approvals, counts } = await api.state(session)
    if (talks(kind)) return counts.turns === sent && !turn && queue.length === 0 && approvals.length === 0
    const end = kind === 'pipe' ? `<${sent}>\n` : `<${sent}>`
    return printed(await api.events(session), kind).endsWith(end) || sent === 0
  }
  await waitFor(isAtRest, { what: `${kind} ${session} to rest`, deadlineMs, everyMs: 100 }).catch(async () => {
    const { status, counts, turn, queue } = await api.state(session)
    found.push(`${kind} ${session} does not come to rest: ${JSON.stringify({ status, counts, turn, queue, sent })}`)
  })
  const events = await api.events(session)
  const ways = of(events, 'session.state_changed').map(({ data }) => data['to'])
  if (ways.join(' ') !== 'starting active') found.push(`${kind} ${session} was ${ways.join(', ')}`)
  const state = await api.state(session)
  if (state.pid !== pid || !hasProcess(pid)) found.push(`${kind} ${session} is not the process that it was`)
  const all = Array.from({ length: sent }, (_, at) => at + 1)
  if (!talks(kind)) {
    const expected = [0, ...all].map((n) => `<${n}>`).join('')
    const got = printed(events, kind).replaceAll(/[\r\n]/g, '')
    if (got !== expected) found.push(`${kind} ${session} printed ${JSON.stringify(got.slice(-120))} of ${sent}`)
    return found
  }
  const said = of(events, 'message.completed').map(({ body }) => String(body?.['text']))
  const told = all.flatMap((n) => [`said ${n} before it asks`, `said ${n} after it asked`])
  if (said.join('\n') !== told.join('\n')) found.push(`${session} said ${JSON.stringify(said.slice(-6))} of ${sent}`)
  const pieces = of(events, 'message.delta').map(({ body }) => String(body?.['text']))
  if (pieces.join('') !== told.join('')) found.push(`the pieces of ${session} are not what it said`)
  const titles = answersOf(member)
  if (titles.join() !== all.map((n) => askTitle(n)).join())
    found.push(`${session} acted on ${titles.join()} of ${sent}`)
  for (const type of [
    'approval.requested',
    'approval.dispatched',
    'turn.started',
    'turn.ended',
    'message.delivered',
    'step.started',
    'step.finished',
  ]) {
    const { length } = of(events, type)
    if (length !== sent) found.push(`${session} has ${length} times ${type} instead of ${sent}`)
  }
  if (of(events, 'message.delivery_unknown').length > 0) found.push(`${session} has messages that nobody knows of`)
  return found
}

/**
 * Waits until its end is told, and says what of that is not true. `signal`: how it must have ended, where that is known.
 * `toldAt`: when it was told, in milliseconds of the wall clock.
 */
export async function compareGone(
  api: Api,
  member: Member,
  signal: 'SIGKILL' | undefined,
): Promise<{ found: readonly string[]; toldAt: number }> {
  const { session, kind, pid } = member
  let state: SessionState
  try {
    state = await api.until(session, 'the truth', ({ status }) => status === 'interrupted', deadlineMs)
  } catch (error) {
    return { found: [`the end of ${kind} ${session} is not told: ${String(error)}`], toldAt: 0 }
  }
  const found: string[] = []
  if (signal !== undefined && state.exit?.signal !== signal) {
    found.push(`${session} was killed, and its end is told as ${state.reason} ${JSON.stringify(state.exit)}`)
  }
  if (state.turn || openApprovals(state).length > 0 || state.steps)
    found.push(`${session} is gone and something is open`)
  await waitFor(() => !hasProcess(pid), { what: 'its process to be gone', deadlineMs }).catch(() =>
    found.push(`${session} is told to be gone, and process ${pid} runs`),
  )
  const events = await api.events(session)
  const titles = answersOf(member)
  if (new Set(titles).size !== titles.length) found.push(`${session} acted twice on ${titles.join()}`)
  const delivered = of(events, 'message.delivered').map(({ subject }) => subject)
  if (new Set(delivered).size !== delivered.length) found.push(`${session} got a message twice`)
  const decided = of(events, 'approval.resolved').map(({ subject }) => subject)
  const settled = ['approval.dispatched', 'approval.dispatch_unknown', 'approval.dispatch_refused']
  const doubts = decided.filter(
    (subject) => !events.some((one) => one.subject === subject && settled.includes(one.type)),
  )
  if (doubts.length > 0) found.push(`${session}: nobody says what became of ${doubts.join()}`)
  return { found, toldAt: Date.parse(state.since) }
}

function of(events: readonly Envelope[], type: string): readonly Envelope[] {
  return events.filter((event) => event.type === type)
}

function printed(events: readonly Envelope[], kind: MemberKind): string {
  const source = kind === 'pipe' ? 'stdout' : 'pty'
  return of(events, 'output.appended')
    .filter(({ data }) => data['source'] === source)
    .map(({ body }) => String(body?.['text']))
    .join('')
}

/** What it was allowed to do, in the order in which it did it. */
function answersOf({ answers }: Member): readonly string[] {
  try {
    const lines = readFileSync(answers, 'utf8').trim().split('\n')
    return lines.map((line) => (JSON.parse(line) as { title: string }).title)
  } catch {
    return []
  }
}
