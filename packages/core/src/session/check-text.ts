import { type Decision, refuse } from '../decision.ts'

/** A refusal if a message is empty or over the limit (UTF-16 code units, as text fields count). */
export function checkText(text: string, maxChars: number): Decision | undefined {
  if (text.trim() === '') return refuse('message_empty', 'A message needs at least one visible character.')
  if (text.length <= maxChars) return undefined
  return refuse(
    'message_too_long',
    `The message has ${text.length} characters; ${maxChars} are allowed. Shorten or split it.`,
    {
      limit: maxChars,
      length: text.length,
    },
  )
}
