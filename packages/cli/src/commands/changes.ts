import { commentsMessage } from '@hotline/core/draft/line-comments'
import { awaitsReview, type SessionState } from '@hotline/core/session/state'
import type { CommandInput } from '@hotline/protocol/command'
import type { EventOf, KnownEvent } from '@hotline/protocol/events'
import type { Command } from 'commander'
import type { Server } from '../ask-server.ts'
import { awaitAnswer } from '../await-answer.ts'
import { draftLines, resolvedLines } from '../draft-card.ts'
import { fail } from '../failure.ts'
import { findEvent } from '../find-event.ts'
import { isWanted } from '../is-wanted.ts'
import { plainText } from '../plain-text.ts'
import { readComments } from '../read-comments.ts'
import type { CommandContext } from './context.ts'

interface ChangesOptions {
  keep?: string[]
  keepAll?: boolean
  discard?: string[]
  guarded?: string[]
  reason?: string
  commit?: string
  into?: string
  yes?: boolean
}

/** Events that answer somebody who reviews. */
type DraftAnswer = EventOf<'draft.ready' | 'draft.refused' | 'draft.dropped' | 'draft.resolved'>

/** Reviewing what an agent changed in files. */
export function addChangesCommand(program: Command, context: CommandContext): void {
  const changes = program.command('changes')
  changes
    .description('what the agent changed in files and nobody has reviewed; keep or discard it file by file')
    .argument('<session>', 'id, or the beginning of it')
    .option('--keep <file...>', 'files that stay as they are, and are not shown again until they change')
    .option('--keep-all', 'all that are not discarded')
    .option('--discard <file...>', 'files that go back to what they were before the agent')
    .option('--guarded <file...>', 'of those to keep: files that say what others run, or what agents may do')
    .option('--reason <text>', 'why, told to the agent')
    .option('--commit <message>', "commits what is kept on the branch of the session's worktree")
    .option('--into <branch>', 'merges that branch into this one then; takes the right to decide')
    .option('-y, --yes', 'do not ask')
    .action(async (text: string, options: ChangesOptions) => review(context, text, options))
  changes
    .command('comment')
    .description('says something of lines of the changes; all of it goes to the agent as one message')
    .argument('<session>', 'id, or the beginning of it')
    .argument('<comment...>', 'each as "path:line: text"')
    .action(async (text: string, comments: string[]) => comment(context, text, comments))
}

async function comment(context: CommandContext, text: string, typed: readonly string[]): Promise<void> {
  const server = context.server()
  // What is wrong with them is said before anything is asked.
  readComments(typed, [])
  const { session } = await server.findSession(text)
  const { state } = await server.state(session)
  const shown = await standing(server, session, state)
  const comments = readComments(typed, shown?.body?.changes ?? [])
  const accepted = await server.command(`session:${session}`, 'message.send', { text: commentsMessage(comments) })
  context.print(accepted, `${comments.length === 1 ? '1 comment' : `${comments.length} comments`} sent.\n`)
}

async function review(context: CommandContext, text: string, options: ChangesOptions): Promise<void> {
  if (options.into !== undefined && options.commit === undefined) {
    throw fail('invalid_request', 'What is merged is committed first: say --commit <message>, too.')
  }
  const server = context.server()
  const { session } = await server.findSession(text)
  // What an agent waits for is decided as it is shown; while it waits nobody looks anew.
  const { state } = await server.state(session)
  const awaited = awaitsReview(state) ? await standing(server, session, state) : undefined
  const ready = awaited ?? (await tell(server, session, 'draft.make', {}))
  if (ready.type !== 'draft.ready') return context.print(ready, `${reasonOf(ready)}\n`)
  const { keep = [], discard = [], guarded, reason, commit, into } = options
  const isToDecide = keep.length + discard.length > 0 || options.keepAll === true
  if (!context.json || !isToDecide) context.print(ready, `${draftLines(ready).join('\n')}\n`)
  if (!isToDecide) return
  const files = (ready.body?.files ?? []).map(({ path }) => path)
  const unknown = [...keep, ...discard, ...(guarded ?? [])].find((path) => !files.includes(path))
  if (unknown !== undefined) throw fail('not_found', `The agent has not changed "${plainText(unknown)}".`)
  if (!options.yes && !(await isWanted(context.stdin, 'Do exactly this?'))) {
    throw fail('invalid_request', 'Nothing was decided. Without a terminal to ask at, add --yes.')
  }
  const kept = options.keepAll ? files.filter((path) => !discard.includes(path)) : keep
  const done = await tell(server, session, 'draft.review', {
    draft: ready.data.draft,
    digest: ready.data.digest,
    keep: kept,
    discard,
    ...(guarded === undefined ? {} : { guarded }),
    ...(reason === undefined ? {} : { reason }),
    ...(commit === undefined ? {} : { commit: { message: commit, ...(into === undefined ? {} : { into }) } }),
  })
  if (done.type !== 'draft.resolved') throw fail('digest_mismatch', reasonOf(done))
  context.print(done, `${resolvedLines(done, session).join('\n')}\n`)
}

/** What is up for review now, as it was shown. */
async function standing(
  server: Server,
  session: string,
  { draft }: SessionState,
): Promise<EventOf<'draft.ready'> | undefined> {
  if (draft?.phase !== 'ready') return undefined
  return await findEvent(server, session, (known): known is EventOf<'draft.ready'> => {
    return known.type === 'draft.ready' && known.data.draft === draft.draft
  })
}

/** Sends a command and waits for what its machine says to it. */
async function tell<T extends 'draft.make' | 'draft.review'>(
  server: Server,
  session: string,
  type: T,
  data: CommandInput<T>,
): Promise<DraftAnswer> {
  const stream = `session:${session}`
  const accepted = await server.command(stream, type, data)
  const id = 'draft' in data && typeof data.draft === 'string' ? data.draft : accepted.id
  return await awaitAnswer(
    server,
    stream,
    accepted,
    (known): known is DraftAnswer => isAnswer(known) && known.data.draft === id,
  )
}

function isAnswer(known: KnownEvent): known is DraftAnswer {
  return ['draft.ready', 'draft.refused', 'draft.dropped', 'draft.resolved'].includes(known.type)
}

function reasonOf(answer: DraftAnswer): string {
  if (answer.type === 'draft.refused') return plainText(answer.body?.reason ?? 'There is nothing to review.')
  return 'Somebody else looks at these changes now.'
}
