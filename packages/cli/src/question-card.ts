import { answerOf, type Answer, wordsOf } from '@hotline/core/question/answer'
import { type Field, formOf } from '@hotline/core/question/form'
import type { EventOf } from '@hotline/protocol/events'
import { inLine } from './approval-card.ts'
import { plainText } from './plain-text.ts'

/** A question as it is shown before somebody answers. */
export interface QuestionCard {
  question: string
  event: EventOf<'question.asked'>
  fields: readonly Field[]
  /** Lines without their ends. */
  lines: readonly string[]
}

/** The card of a question. `label` names it where it is answered; all that the agent says is behind a bar. */
export function questionCard(event: EventOf<'question.asked'>, label: string): QuestionCard {
  const { question } = event.data
  const fields = formOf(event.body?.schema)
  const lines = [
    `${label} a question${fields.length === 0 ? '; it takes yes ("answer") or no ("--decline"), and no text' : ''}`,
    ...plainText(event.body?.text ?? '(erased)')
      .split('\n')
      .map((line) => `| ${line}`),
    ...fields.map(fieldLine),
  ]
  return { question, event, fields, lines }
}

function fieldLine({ name, title, description, isRequired, form }: Field): string {
  const words = [
    ...(title === name ? [] : [title]),
    ...(description === undefined ? [] : [description]),
    `${wordsOf(form)}${isRequired ? '' : ' (may be left out)'}`,
  ]
  return `|   ${inLine(name)}: ${words.map(inLine).join('; ')}`
}

/** How an answer is typed after the command, for examples. */
export function answerForm(fields: readonly Field[]): string {
  if (fields.length === 0) return ''
  if (fields.length === 1) return ' <answer>'
  return fields.map(({ name, isRequired }) => (isRequired ? ` ${inLine(name)}=…` : ` [${inLine(name)}=…]`)).join('')
}

/** An answer in several words: each is `name=value`; of a question for one thing they are its value, with its name or without. */
export function readAnswer(fields: readonly Field[], words: readonly string[]): Answer {
  const [only, another] = fields
  if (!only) {
    return words.length === 0 ? { ok: true, content: {} } : { ok: false, why: 'It takes no text.' }
  }
  if (!another) {
    if (words.length === 0) return only.isRequired ? missing(fields) : { ok: true, content: {} }
    const text = words.join(' ')
    return answerOf(fields, new Map([[only.name, text.startsWith(`${only.name}=`) ? after(text) : text]]))
  }
  if (words.length === 0) return missing(fields)
  const texts = new Map<string, string>()
  for (const word of words) {
    const name = word.slice(0, word.indexOf('='))
    if (!word.includes('=')) {
      return { ok: false, why: `It asks for several things, so each is given with its name:${answerForm(fields)}` }
    }
    if (texts.has(name)) return { ok: false, why: `"${name}" is given twice.` }
    texts.set(name, after(word))
  }
  return answerOf(fields, texts)
}

/** The same from one line, where a value goes on until the next name. */
export function readAnswerLine(fields: readonly Field[], line: string): Answer {
  const text = line.trim()
  if (fields.length < 2) return readAnswer(fields, text === '' ? [] : [text])
  const parts: string[] = []
  for (const word of text === '' ? [] : text.split(/\s+/)) {
    const begins = fields.some(({ name }) => word.startsWith(`${name}=`))
    const last = parts.pop()
    if (begins || last === undefined) parts.push(...(last === undefined ? [] : [last]), word)
    else parts.push(`${last} ${word}`)
  }
  return readAnswer(fields, parts)
}

function missing(fields: readonly Field[]): Answer {
  return { ok: false, why: `It needs an answer:${answerForm(fields)}` }
}

function after(text: string): string {
  return text.slice(text.indexOf('=') + 1)
}
