import type { Actor } from '@hotline/protocol/actor'
import type { Attachment } from '@hotline/protocol/attachment'
import type { Envelope } from '@hotline/protocol/event'
import type { Quote } from '@hotline/protocol/events/message'
import { asKnown } from '@hotline/protocol/known-event'
import { oneLine } from '../one-line.ts'

/**
 * What an event adds to a conversation that is kept as Markdown: a paragraph, a list item, or undefined for what is no part of it.
 * What people and agents wrote stands in quotes, as they wrote it, and cannot pose as anything around it. `nameOf`: what people call
 * whoever did it.
 */
export function eventMarkdown(event: Envelope, nameOf: (actor: Actor) => string): string | undefined {
  const known = asKnown(event)
  if (!known) return undefined
  const { at, actor } = event
  // oxlint-disable-next-line typescript/switch-exhaustiveness-check -- the rest is told in one line, or is no part of it
  switch (known.type) {
    case 'message.posted':
      return said(known.data.role === 'agent' ? 'Agent' : nameOf(actor), at, known.body?.text, known.body)
    case 'message.completed':
      return said('Agent', at, known.body?.text, known.body)
    case 'message.edited':
      return said(`${nameOf(actor)} (changed, before the agent had it)`, at, known.body?.text)
    case 'message.withdrawn':
      return item(at, `Message withdrawn${known.data.reason === undefined ? ` by ${escaped(nameOf(actor))}` : ''}.`)
    case 'message.reacted': {
      const { sign, on } = known.data
      return item(
        at,
        `${escaped(nameOf(actor))} ${on ? 'put' : 'took back'} ${sign} ${on ? 'under' : 'from'} a message.`,
      )
    }
    case 'approval.requested': {
      const { title, input } = known.body ?? {}
      return `${item(at, `The agent asks: ${escaped(title ?? '(erased)')}`)}${fenced(input)}`
    }
    case 'approval.resolved': {
      const { reason, input } = known.body ?? {}
      const why = reason === undefined ? '' : `: ${escaped(reason)}`
      return `${item(at, `${known.data.outcome.replaceAll('_', ' ')} by ${escaped(nameOf(actor))}${why}`)}${fenced(input)}`
    }
    case 'question.answered': {
      const { content } = known.body ?? {}
      return `${item(at, `Answered by ${escaped(nameOf(actor))}: ${known.data.action}`)}${fenced(content)}`
    }
    case 'step.started':
      return item(at, `${known.data.kind}: ${escaped(known.body?.title ?? '(erased)')}`)
    case 'step.finished': {
      const { outcome } = known.data
      const why = known.body?.error === undefined ? '' : `: ${escaped(known.body.error)}`
      return outcome === 'done' ? undefined : item(at, `${outcome}${why}`)
    }
    case 'output.appended':
      return undefined
    case 'turn.ended':
      if (known.data.end === 'end') return undefined
  }
  const line = oneLine(known)
  return line === undefined ? undefined : item(at, escaped(line))
}

/** How a conversation begins: its title, and facts of the session. */
export function headMarkdown(title: string, facts: readonly (readonly [string, string])[]): string {
  return `# ${escaped(title)}\n\n${facts.map(([name, value]) => `- ${name}: ${escaped(value)}\n`).join('')}\n## What happened\n\n`
}

interface Beside {
  quote?: Quote | undefined
  attachments?: readonly Attachment[] | undefined
}

function said(who: string, at: string, text: string | undefined, { quote, attachments = [] }: Beside = {}): string {
  const quoted = linesOf(text ?? '(erased)').map((line) => `> ${line}`.trimEnd())
  const about = quote === undefined ? [] : [...linesOf(quote.text).map((line) => `> > ${line}`.trimEnd()), '>']
  const files = attachments.map(
    ({ name, type, bytes, digest }) =>
      `- File: ${escaped(name)} (${escaped(type)}, ${bytes} bytes, SHA-256 ${digest})\n`,
  )
  const end = files.length === 0 ? '' : `${files.join('')}\n`
  return `\n**${escaped(who)}** · ${at}\n\n${[...about, ...quoted].join('\n')}\n\n${end}`
}

function item(at: string, words: string): string {
  return `- ${at} · ${words}\n`
}

/** Text that is shown letter by letter, within the item that it belongs to; longer fences than any in it. */
function fenced(value: unknown): string {
  if (value === undefined) return ''
  const text = typeof value === 'string' ? value : JSON.stringify(value, undefined, 2)
  const longest = Math.max(2, ...Array.from(text.matchAll(/`+/g), ([run]) => run.length))
  const fence = '`'.repeat(longest + 1)
  const lines = [fence, ...linesOf(text), fence]
  return `\n${lines.map((line) => `  ${line}`).join('\n')}\n\n`
}

/** Whatever ends a line; what moves the cursor of a terminal or turns text around is shown by its number. */
function linesOf(text: string): readonly string[] {
  return text.split(/\r\n|[\n\r\u0085\u2028\u2029]/u).map(shown)
}

function shown(text: string): string {
  return text.replaceAll(/[^\P{Cc}\t]|\p{Bidi_Control}/gu, (char) => `\\u{${(char.codePointAt(0) ?? 0).toString(16)}}`)
}

/** In one line, with nothing in it that Markdown or HTML would read. */
function escaped(text: string): string {
  return shown(text.replaceAll(/\s+/gu, ' ')).replaceAll(/[\\`*_{}[\]<>#|!&~]/g, String.raw`\$&`)
}
