import type { EventOf, KnownEvent } from '@hotline/protocol/events'
import { asKnown } from '@hotline/protocol/known-event'
import type { UndoTarget } from '@hotline/protocol/events/checkpoint'
import type { TranscriptWindow } from '@hotline/protocol/http'
import type { Command } from 'commander'
import type { Server } from '../ask-server.ts'
import { awaitAnswer } from '../await-answer.ts'
import { fail } from '../failure.ts'
import { isWanted } from '../is-wanted.ts'
import { plainText } from '../plain-text.ts'
import { undoLines } from '../undo-card.ts'
import type { CommandContext } from './context.ts'

interface UndoOptions {
  turn?: boolean
  step?: string
  checkpoint?: string
  also?: string[]
  except?: string[]
  yes?: boolean
  dryRun?: boolean
}

/** Events that answer somebody who wants something undone. */
type UndoAnswer = EventOf<'undo.planned' | 'undo.refused' | 'undo.dropped' | 'checkpoint.restored'>

/** Taking back what an agent did to files. */
export function addUndoCommands(program: Command, context: CommandContext): void {
  program
    .command('undo')
    .description('take back what the agent did to files: shows what would happen, then asks')
    .argument('<session>', 'id, or the beginning of it')
    .option('--turn', 'only its last turn (default: everything since the start of the session)')
    .option('--step <id>', 'a step of it, and all that came after')
    .option('--checkpoint <id>', 'back to a snapshot: see "hotline checkpoints"')
    .option('--also <file...>', 'files that others have changed as well, and that shall go back all the same')
    .option('--except <file...>', 'files that shall stay as they are')
    .option('--dry-run', 'only show what would happen')
    .option('-y, --yes', 'do not ask')
    .action(async (text: string, options: UndoOptions) => undo(context, text, options))

  program
    .command('checkpoints')
    .description('the snapshots of the files of a session, and what was undone')
    .argument('<session>', 'id, or the beginning of it')
    .action(async (text: string) => {
      const server = context.server()
      const { session } = await server.findSession(text)
      const events = await readCheckpoints(server, session)
      const lines = events.map((event) => `${event.at.slice(0, 19).replace('T', ' ')}  ${describe(event)}\n`)
      context.print(
        events,
        lines.length > 0 ? lines.join('') : 'No files of this session have changed, as far as they are kept.\n',
      )
    })
}

async function undo(context: CommandContext, text: string, options: UndoOptions): Promise<void> {
  const server = context.server()
  const { session } = await server.findSession(text)
  const stream = `session:${session}`
  const planned = await ask(server, session, () => findTarget(server, session, options))
  if (planned.type !== 'undo.planned') throw fail('invalid_transition', reasonOf(planned))
  const { undo: id, digest, files, asks } = planned.data
  if (!context.json) context.write(`${undoLines(planned).join('\n')}\n`)
  const also = options.also ?? []
  const isNothing = files === 0 || (asks === files && also.length === 0)
  if (options.dryRun || isNothing) {
    await server.command(stream, 'undo.drop', { undo: id })
    return context.print(planned, isNothing && files > 0 ? 'Nothing would be undone without --also.\n' : '')
  }
  if (!options.yes && !(await isWanted(context.stdin, 'Undo exactly this?'))) {
    await server.command(stream, 'undo.drop', { undo: id })
    throw fail('invalid_request', 'Nothing was undone. Without a terminal to ask at, add --yes.')
  }
  const choice = { ...(also.length > 0 ? { also } : {}), ...(options.except ? { except: options.except } : {}) }
  const done = await ask(server, session, async () => ({ type: 'undo.apply', data: { undo: id, digest, ...choice } }))
  if (done.type !== 'checkpoint.restored') throw fail('digest_mismatch', reasonOf(done))
  context.print(done, doneText(done, session))
}

async function findTarget(
  server: Server,
  session: string,
  { turn, step, checkpoint }: UndoOptions,
): Promise<{ type: 'undo.plan'; data: UndoTarget }> {
  if (checkpoint !== undefined) return { type: 'undo.plan', data: { checkpoint } }
  if (step !== undefined) return { type: 'undo.plan', data: { step } }
  if (!turn) return { type: 'undo.plan', data: {} }
  const found = await lastTurn(server, session)
  if (found === undefined) throw fail('not_found', 'This session has had no turn yet.')
  return { type: 'undo.plan', data: { turn: found } }
}

/** Windows are read from the end, and within one the later turns come last. */
async function lastTurn(server: Server, session: string): Promise<string | undefined> {
  for (let before: number | null | undefined; before !== null;) {
    const from: string = before === undefined ? '' : `&before=${before}`
    const window: TranscriptWindow = await server.get(`/api/sessions/${session}/transcript?limit=500${from}`)
    const started = window.events.map(asKnown).findLast((known) => known?.type === 'turn.started')
    if (started?.type === 'turn.started') return started.data.turn
    before = window.before
  }
  return undefined
}

/** Sends a command and waits for what its machine says to it. */
async function ask(
  server: Server,
  session: string,
  make: () => Promise<
    | { type: 'undo.plan'; data: UndoTarget }
    | { type: 'undo.apply'; data: { undo: string; digest: string; also?: string[]; except?: string[] } }
  >,
): Promise<UndoAnswer> {
  const wish = await make()
  const stream = `session:${session}`
  const accepted =
    wish.type === 'undo.plan'
      ? await server.command(stream, 'undo.plan', plainTarget(wish.data))
      : await server.command(stream, 'undo.apply', wish.data)
  const id = wish.type === 'undo.plan' ? accepted.id : wish.data.undo
  return await awaitAnswer(
    server,
    stream,
    accepted,
    (known): known is UndoAnswer => isAnswer(known) && known.data.undo === id,
  )
}

function plainTarget({ checkpoint, step, turn }: UndoTarget): { checkpoint?: string; step?: string; turn?: string } {
  if (checkpoint !== undefined) return { checkpoint }
  if (step !== undefined) return { step }
  return turn === undefined ? {} : { turn }
}

function isAnswer(known: KnownEvent): known is UndoAnswer {
  return ['undo.planned', 'undo.refused', 'undo.dropped', 'checkpoint.restored'].includes(known.type)
}

function reasonOf(answer: UndoAnswer): string {
  if (answer.type === 'undo.refused') return plainText(answer.body?.reason ?? 'It cannot be undone.')
  return 'Somebody else has asked for another undo meanwhile, or let go of this one.'
}

function doneText({ data, body }: EventOf<'checkpoint.restored'>, session: string): string {
  const kept = (body?.files ?? []).filter(({ outcome }) => outcome === 'kept')
  return [
    `Undone: ${data.restored} ${data.restored === 1 ? 'file' : 'files'}.`,
    ...kept.map(({ path, why }) => `Kept as it is: ${plainText(path)} (${plainText(why ?? '')})`),
    ...(data.before === undefined ? [] : [`To go back: hotline undo ${session} --checkpoint ${data.before}`]),
    '',
  ].join('\n')
}

type CheckpointEvent = EventOf<'checkpoint.created' | 'checkpoint.skipped' | 'checkpoint.restored'>

/** Of the whole session, oldest first. */
async function readCheckpoints(server: Server, session: string): Promise<readonly CheckpointEvent[]> {
  const found: CheckpointEvent[] = []
  for (let before: number | null | undefined; before !== null;) {
    const from: string = before === undefined ? '' : `&before=${before}`
    const window: TranscriptWindow = await server.get(`/api/sessions/${session}/transcript?limit=500${from}`)
    const events = window.events.flatMap((event): CheckpointEvent[] => {
      const known = asKnown(event)
      return known?.type.startsWith('checkpoint.') ? [known as CheckpointEvent] : []
    })
    found.unshift(...events)
    before = window.before
  }
  return found
}

function describe(event: CheckpointEvent): string {
  switch (event.type) {
    case 'checkpoint.created': {
      const { checkpoint, moment, changed } = event.data
      return `${checkpoint}  ${moment.replaceAll('_', ' ')}, ${changed} ${changed === 1 ? 'file' : 'files'} changed`
    }
    case 'checkpoint.skipped':
      return `no snapshot: ${plainText(event.body?.note ?? '')}`
    case 'checkpoint.restored':
      return `undone: ${event.data.restored} put back, ${event.data.kept} kept`
  }
}
