import { type Decision, refuse } from '../decision.ts'

/**
 * White space, control characters, what Unicode calls ignorable (zero width, direction, fillers, tags), the marks of an
 * annotation, and the blank of Braille: a text of nothing else shows nothing.
 */
const blank = /^[\s\p{Cc}\p{Default_Ignorable_Code_Point}\u{FFF9}-\u{FFFB}\u{2800}]*$/u

/** True where somebody who looks at a text sees something. */
export function isVisible(text: string): boolean {
  return !blank.test(text)
}

/** A refusal if a message shows nothing or is over the limit (UTF-16 code units, as text fields count). */
export function checkText(text: string, maxChars: number): Decision | undefined {
  if (!isVisible(text)) return refuse('message_empty', 'A message needs at least one visible character.')
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
