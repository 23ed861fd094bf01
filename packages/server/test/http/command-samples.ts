import { serverStream } from '@hotline/protocol/stream'
import { type CommandInput, type CommandType, commandTypes } from '@hotline/protocol/command'

/** One of everything in a project. */
export interface Place {
  project: string
  session: string
  /** A session that runs a command line. */
  program: string
  /** A session of a program that a profile names. */
  tool: string
  task: string
}
export type Sample<T extends CommandType> = (at: Place, fresh: string) => [stream: string, data: CommandInput<T>]

/** What is there to be asked about. */
export interface Live {
  /** A session in `default` that a runner holds, with an open approval and a question. */
  session: string
  approval: string
  /** What the agent of that session has said. */
  message: string
  /** Accounts: one who may be let go, and the only owner. */
  pawn: string
  owner: string
}

const inSession =
  <D>(data: D) =>
  ({ session }: Place): [string, D] => [`session:${session}`, data]
const inProject =
  <D>(data: D) =>
  ({ project }: Place): [string, D] => [`project:${project}`, data]
const inTask =
  <D>(data: D) =>
  ({ task }: Place): [string, D] => [`task:${task}`, data]

const startOf =
  <D>(data: D) =>
  ({ project }: Place, fresh: string): [string, D & { project: string }] => [`session:${fresh}`, { project, ...data }]

/** One of each type, which the rules never refuse with `forbidden` or `not_found`; a new type fails until it has one. */
export function samplesFor(live: Live): { [T in CommandType]: Sample<T> } {
  const askedOf = (at: Place): string => `session:${at.project === 'default' ? live.session : at.session}`
  return {
    'session.start': ({ project }, fresh) => [`session:${fresh}`, { project, agent: 'demo' }],
    'session.pause': inSession({}),
    'session.resume': inSession({}),
    'session.interrupt': inSession({}),
    'session.abort': inSession({}),
    'session.complete': inSession({}),
    'session.rename': inSession({ title: 'Another' }),
    'session.erase': inSession({}),
    'session.erase_output': inSession({ days: 30 }),
    'session.set_budget': inSession({ budget: { toolCalls: 5 } }),
    'session.set_mode': inSession({ mode: 'ask' }),
    'session.take_over': inSession({ runner: 'another' }),
    'message.send': inSession({ text: 'hello' }),
    'message.edit': inSession({ message: 'none', text: 'x' }),
    'message.withdraw': inSession({ message: 'none' }),
    'message.hurry': inSession({ message: 'none' }),
    'message.reorder': inSession({ order: ['none'] }),
    'message.react': (at) => [askedOf(at), { message: live.message, sign: '👍', on: true }],
    'approval.decide': (at) => [askedOf(at), { approval: live.approval, digest: 'a'.repeat(64), verdict: 'allow' }],
    'approval.extend': (at) => [askedOf(at), { approval: live.approval, until: '2020-01-01T00:00:00.000Z' }],
    'approval.recall': (at) => [askedOf(at), { approval: live.approval }],
    'question.answer': (at) => [askedOf(at), { question: 'q1', action: 'decline' }],
    'input.send': inSession({ text: 'x' }),
    'terminal.resize': inSession({ cols: 80, rows: 24 }),
    'draft.make': inSession({}),
    'draft.review': inSession({ draft: 'none', digest: 'a'.repeat(64), keep: ['a'] }),
    'undo.plan': inSession({}),
    'undo.apply': inSession({ undo: 'none', digest: 'a'.repeat(64) }),
    'undo.drop': inSession({ undo: 'none' }),
    'terminal.take': inSession({ keyboard: 'k1' }),
    'terminal.release': inSession({ keyboard: 'k1' }),
    'project.create': (_at, fresh) => [`project:${fresh}`, { name: 'New' }],
    'project.rename': inProject({ name: 'Renamed' }),
    'project.limit_sessions': inProject({ sessions: 3 }),
    'member.add': inProject({ account: live.pawn, role: 'viewer' }),
    'member.change': inProject({ account: live.pawn, role: 'viewer' }),
    // The only owner, who is not let go.
    'member.remove': inProject({ account: live.owner }),
    'folder.trust': inProject({
      runner: 'r1',
      folder: '/work',
      digest: 'a'.repeat(64),
      session: 's1',
      by: { kind: 'person', id: 'p1' },
    }),
    'folder.distrust': inProject({ runner: 'r1', digest: 'a'.repeat(64) }),
    'webhook.add': ({ project }, fresh) => [
      `project:${project}`,
      { webhook: fresh, url: 'https://hooks.example.org', events: ['webhook.none'] },
    ],
    // There is none, which is no matter of rights.
    'webhook.change': inProject({ webhook: 'none', enabled: false }),
    'webhook.remove': inProject({ webhook: 'none' }),
    'webhook.rotate': inProject({ webhook: 'none' }),
    'webhook.disable': inProject({ webhook: 'none' }),
    'policy.set_rule': inProject({ effect: 'deny', match: { tool: 'nothing' } }),
    // There is none, which is no matter of rights.
    'policy.revoke_rule': inProject({ rule: 'none', effect: 'allow' }),
    'policy.move_rule': inProject({ rule: 'none', before: null }),
    'policy.set_timeout': inProject({ approvalTimeoutMs: 3_600_000 }),
    'policy.set_mode': inSession({ mode: 'ask' }),
    'policy.end_mode': inSession({ until: '2026-01-01T00:00:00.000Z' }),
    'approval.judge': inSession({}),
    'task.create': ({ project }, fresh) => [`task:${fresh}`, { project, title: 'New' }],
    'task.change': inTask({ title: 'Changed' }),
    'task.move': inTask({ to: 'review' }),
    'task.remove': inTask({}),
    'task.observe': inTask({ session: 's1', agent: 'demo', phase: 'at_work', changes: false, at: 1 }),
    'lease.take': inSession({}),
    'agent.report': inSession({ fence: 1, events: [{ type: 'output.appended', data: {}, body: { text: 'x' } }] }),
    'agent.recover': inSession({ fence: 1, events: [{ type: 'output.appended', data: {}, body: { text: 'x' } }] }),
    'approval.expire': inSession({ approval: 'none' }),
    'contact.lose': inSession({ since: '2026-01-01T00:00:00.000Z' }),
    'contact.restore': inSession({}),
    // Nobody else's.
    'account.begin': () => [`account:${live.pawn}`, {}],
    'ask.snooze': ({ session }) => [
      `account:${live.pawn}`,
      { session, ask: live.approval, until: '2020-01-01T00:00:00.000Z' },
    ],
    'read.mark': ({ session }) => [`account:${live.pawn}`, { session, seq: 1 }],
    'ask.unsnooze': ({ session }) => [`account:${live.pawn}`, { session, ask: live.approval }],
  }
}

type Odd =
  | Sample<'session.start'>
  | Sample<'message.send'>
  | Sample<'policy.set_rule'>
  | Sample<'policy.move_rule'>
  | Sample<'policy.revoke_rule'>
  | Sample<'policy.set_timeout'>

/** What nobody is asked about any more: forms of commands that take other rights than their type alone. */
export const unaskedSamples: Record<string, Odd> = {
  'policy.set_rule of what allows one thing': inProject({
    effect: 'allow' as const,
    match: { agent: 'demo', tool: 'execute', command: ['npm', 'test'] },
  }),
  'policy.set_rule of what allows more': inProject({ effect: 'allow' as const, match: { path: 'src/' } }),
  'policy.set_rule in the place of another': inProject({
    effect: 'ask' as const,
    match: { tool: 'nothing' },
    replaces: 'none',
  }),
  'policy.revoke_rule of what denies': inProject({ rule: 'none', effect: 'deny' as const }),
  'policy.set_rule of the server': () => [serverStream, { effect: 'deny', match: { tool: 'nothing' } }],
  'policy.revoke_rule of the server': () => [serverStream, { rule: 'none', effect: 'allow' }],
  'policy.move_rule of the server': () => [serverStream, { rule: 'none', before: null }],
  'policy.set_timeout of the server': () => [serverStream, { approvalTimeoutMs: 3_600_000 }],
  'policy.set_rule of a server that is none': () => ['server:other', { effect: 'deny', match: { tool: 'nothing' } }],
  'session.start in a mode': ({ project }, fresh) => [`session:${fresh}`, { project, agent: 'demo', mode: 'free' }],
  'session.start without a fence': startOf({ agent: 'demo', unfenced: true as const }),
  'session.start with free edits': startOf({ agent: 'demo', freeEdits: true as const }),
  'session.start of a command line': startOf({ agent: 'command', command: ['true'] }),
  'session.start of a program with a profile': startOf({ agent: 'tail', unasked: true as const }),
  'message.send to a program with a profile': ({ tool }) => [`session:${tool}`, { text: 'rm -r .' }],
  'message.send to a program': ({ program }) => [`session:${program}`, { text: 'rm -r .' }],
}

/** What takes the right to allow what is of high risk. */
export function riskySamples(live: {
  session: string
  /** Open, in that session. */
  risky: string
}): Record<string, Sample<'approval.decide'> | Sample<'policy.set_rule'>> {
  const decide =
    (verdict: 'allow' | 'deny'): Sample<'approval.decide'> =>
    (at) => [
      `session:${at.project === 'default' ? live.session : at.session}`,
      { approval: live.risky, digest: 'a'.repeat(64), verdict },
    ]
  return {
    'approval.decide that allows what is of high risk': decide('allow'),
    'approval.decide that denies what is of high risk': decide('deny'),
    'policy.set_rule of what is of high risk': inProject({
      effect: 'allow' as const,
      match: { agent: 'demo', tool: 'execute', command: ['git', 'push'] },
    }),
  }
}

/** The names of all samples. */
export const kinds: readonly string[] = [
  ...commandTypes,
  ...Object.keys(unaskedSamples),
  ...Object.keys(riskySamples({ session: '', risky: '' })),
]
