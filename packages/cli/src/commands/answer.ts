import { type Answer, checkAnswer } from '@hotline/core/question/answer'
import type { EventOf } from '@hotline/protocol/events'
import type { Command } from 'commander'
import type { Server } from '../ask-server.ts'
import { fail } from '../failure.ts'
import { findEvent } from '../find-event.ts'
import { type OpenAsk, openAsks } from '../open-asks.ts'
import { type QuestionCard, questionCard, readAnswer } from '../question-card.ts'
import type { CommandContext } from './context.ts'

/** A question as it stands in the log, and how it is shown. */
export interface FoundQuestion {
  session: string
  card: QuestionCard
}

/** `answer`: what an agent asks in words, from a terminal. */
export function addAnswerCommand(program: Command, context: CommandContext): void {
  program
    .command('answer')
    .description('answer a question: text, a choice or its number, name=value for several things; with --json as JSON')
    .argument('<question-or-session>', 'id, or the beginning of it')
    .argument('[answer...]')
    .option('--decline', 'say that it will not be answered')
    .action(async (text: string, words: string[], { decline }: { decline?: boolean }) => {
      const server = context.server()
      const { session, card } = await findQuestion(server, text)
      const { question } = card
      if (decline === true) {
        if (words.length > 0) throw fail('invalid_request', 'Either an answer or --decline.')
        const declined = await server.command(`session:${session}`, 'question.answer', { question, action: 'decline' })
        return context.print(declined, 'declined\n')
      }
      const answer = context.json ? readJson(card, words) : readAnswer(card.fields, words)
      if (!answer.ok) {
        if (!context.json) context.note(card.lines.join('\n'))
        throw fail('invalid_request', `${answer.why} Nothing was answered.`)
      }
      const { content } = answer
      const accepted = await server.command(`session:${session}`, 'question.answer', {
        question,
        action: 'accept',
        content,
      })
      context.print(accepted, 'answered\n')
    })
}

/** With `--json` the answer is the content as it goes to the agent. */
function readJson({ fields }: QuestionCard, words: readonly string[]): Answer {
  try {
    const content: unknown = JSON.parse(words.length === 0 ? '{}' : words.join(' '))
    if (typeof content === 'object' && content !== null && !Array.isArray(content))
      return checkAnswer(fields, content as Record<string, unknown>)
  } catch {
    // Said below.
  }
  return { ok: false, why: 'With --json an answer is one JSON object: {"name": value}.' }
}

/** Questions as the log has them, in the order given. */
export async function readQuestions(server: Server, open: readonly OpenAsk[]): Promise<readonly FoundQuestion[]> {
  const found: FoundQuestion[] = []
  for (const { session, id } of open) {
    const event = await findEvent(
      server,
      session,
      (known): known is EventOf<'question.asked'> => known.type === 'question.asked' && known.data.question === id,
    )
    if (!event) throw fail('not_found', 'What was asked is not in the log.')
    found.push({ session, card: questionCard(event, id) })
  }
  return found
}

/** The one that is named by its id or the beginning of it, or the only open one of a session. */
async function findQuestion(server: Server, text: string): Promise<FoundQuestion> {
  const open = openAsks(await server.sessions(), text)
  if (!open) throw fail('not_found', `There is no open question and no session "${text}". See: hotline asks`)
  const [only, ...further] = await readQuestions(server, open.questions)
  if (!only) {
    const isApproval = open.approvals.length > 0
    const why = isApproval ? 'This is to be allowed or denied, not answered.' : 'This session asks no question now.'
    throw fail('not_found', why)
  }
  if (further.length > 0) {
    const all = [only, ...further].map(({ card }) => card.question)
    throw fail('invalid_request', `Several are open; name one of: ${all.join(', ')}`)
  }
  return only
}

/** A question as programs read it. */
export function askedQuestion({ session, card }: FoundQuestion): object {
  const { question, event } = card
  return { session, question, askedAt: event.at, text: event.body?.text, schema: event.body?.schema }
}
