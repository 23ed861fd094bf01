import type { CommandOf } from '@hotline/protocol/command'
import type { KnownDraft } from '@hotline/protocol/events'
import { limits } from '@hotline/protocol/limits'
import { isLive } from '@hotline/protocol/session-status'
import { accept, type Context, type Decision, refuse } from '../decision.ts'
import type { QueuedMessage, SessionState } from './state.ts'
import { attached } from './attachments.ts'
import { checkText } from './check-text.ts'
import { hasSign, quoteOf } from './said.ts'
import { keyboardTaken } from './decide-terminal.ts'

type MessageCommand = CommandOf<
  'message.send' | 'message.edit' | 'message.withdraw' | 'message.hurry' | 'message.reorder' | 'message.react'
>

/** People's messages: they wait in the session's queue until the agent can take them, and can be changed until then. */
export function decideMessage(state: SessionState, command: MessageCommand, context: Context): Decision {
  switch (command.type) {
    case 'message.send':
      return keyboardTaken(state, context) ?? send(state, command, context)
    case 'message.edit': {
      const late = tooLate(state)
      if (late) return late
      const queued = ownQueued(state, command.data.message, context)
      if (!('message' in queued)) return queued
      const refusal = checkText(command.data.text, state.personMessageChars)
      if (refusal) return refusal
      return accept({
        type: 'message.edited',
        subject: `message:${queued.message}`,
        data: { message: queued.message, chars: command.data.text.length },
        body: { text: command.data.text },
      })
    }
    case 'message.withdraw': {
      const late = tooLate(state)
      if (late) return late
      const queued = ownQueued(state, command.data.message, context)
      if (!('message' in queued)) return queued
      return accept({
        type: 'message.withdrawn',
        subject: `message:${queued.message}`,
        data: { message: queued.message },
      })
    }
    case 'message.hurry': {
      const late = tooLate(state)
      if (late) return late
      const { message } = command.data
      const queued = state.queue.find((candidate) => candidate.message === message)
      if (!queued) return refuse('not_queued', 'The agent has this message already, or it was withdrawn.')
      if (queued.hurried === true) return accept()
      if (state.capabilities?.steer !== true) return takesNone()
      // Into one that is paused it is said when that goes on.
      if (!state.turn) {
        return refuse('invalid_transition', 'No turn is under way. The message is read as soon as the agent can.', {
          status: state.status,
        })
      }
      return accept(hurried(message))
    }
    case 'message.react':
      return react(command.data, context)
    case 'message.reorder': {
      const late = tooLate(state)
      if (late) return late
      const wanted = command.data.order
      const waiting = state.queue.map(({ message }) => message)
      const same =
        wanted.length === waiting.length &&
        new Set(wanted).size === wanted.length &&
        waiting.every((id) => wanted.includes(id))
      if (!same) {
        return refuse(
          'not_queued',
          'The queue has changed meanwhile. Read it again and name every waiting message once.',
          {
            waiting,
          },
        )
      }
      return accept({ type: 'message.reordered', data: { order: wanted } })
    }
  }
}

/** Also where the session is over: what was said there can still be liked. */
function react({ message, sign, on }: CommandOf<'message.react'>['data'], { said, actor }: Context): Decision {
  const about = said?.get(message)
  if (!about || about.role === 'system') {
    return refuse('not_found', 'There is no message of a person or an agent with this id in this session.')
  }
  if (hasSign(about.signs, { sign, by: actor }) === on) return accept()
  return accept({ type: 'message.reacted', subject: `message:${message}`, data: { message, sign, on } })
}

function send(state: SessionState, command: CommandOf<'message.send'>, { said, actor, uploads }: Context): Decision {
  if (!isLive(state.status) || state.ending) {
    return refuse(
      'invalid_transition',
      `The session is ${state.ending ?? state.status}; nobody would read this. Start a new session.`,
      { status: state.status },
    )
  }
  if (state.status === 'interrupted' && !state.capabilities?.resume) {
    return refuse(
      'invalid_transition',
      'The agent is gone and cannot be taken up again; nobody would read this. Start a new session.',
      { status: state.status },
    )
  }
  if (state.capabilities?.input === 'none')
    return refuse('unsupported', 'Nothing can be sent to this agent; it is only watched.')
  const { text, replyTo, metadata, now } = command.data
  const files = attached(command.data.attachments, actor, uploads)
  if ('ok' in files) return files
  const { attachments } = files
  // A file says enough.
  const refusal = attachments.length > 0 && text === '' ? undefined : checkText(text, state.personMessageChars)
  if (refusal) return refusal
  const about = replyTo === undefined ? undefined : said?.get(replyTo)
  if (replyTo !== undefined && !about) {
    return refuse('not_found', 'The message that this replies to is not in this session. Send it without that.')
  }
  if (state.queue.length >= limits.queuedMessages) {
    return refuse('queue_full', `${state.queue.length} messages wait already. Withdraw one, or wait for the agent.`, {
      limit: limits.queuedMessages,
    })
  }
  const takesNow = state.capabilities?.steer === true
  if (now && state.turn && !takesNow) return takesNone()
  const quote = about && quoteOf(about)
  const posted: KnownDraft = {
    type: 'message.posted',
    subject: `message:${command.id}`,
    data: {
      message: command.id,
      role: 'person',
      chars: text.length,
      ...(replyTo === undefined ? {} : { replyTo }),
      queued: true,
    },
    body: {
      text,
      ...(metadata === undefined ? {} : { metadata }),
      ...(quote === undefined ? {} : { quote }),
      ...(attachments.length === 0 ? {} : { attachments }),
    },
  }
  // Where nothing goes before it, it is read at once by itself.
  const isToHurry = now && takesNow && (state.turn || state.queue.length > 0)
  return isToHurry ? accept(posted, hurried(command.id)) : accept(posted)
}

function hurried(message: string): KnownDraft {
  return { type: 'message.hurried', subject: `message:${message}`, data: { message } }
}

function takesNone(): Decision {
  return refuse(
    'unsupported',
    'This agent takes no message in the middle of a turn. It reads what waits when its turn is over; stop the turn to have that sooner.',
  )
}

/** A refusal where the session is over or ending: then nothing waits any more, or will never be read. */
function tooLate(state: SessionState): Decision | undefined {
  if (isLive(state.status) && !state.ending) return undefined
  return refuse(
    'invalid_transition',
    `The session is ${state.ending ? 'ending' : state.status}; its messages no longer wait for the agent.`,
    { status: state.status },
  )
}

/** The waiting message if it is the asker's own; otherwise a refusal. */
function ownQueued(state: SessionState, message: string, context: Context): QueuedMessage | Decision {
  const queued = state.queue.find((candidate) => candidate.message === message)
  if (!queued) return refuse('not_queued', 'The agent has this message already, or it was withdrawn. Send another one.')
  if (queued.by.kind !== context.actor.kind || queued.by.id !== context.actor.id) {
    return refuse('forbidden', 'Only its author can change a waiting message.')
  }
  return queued
}
