import type { TemplateWord } from '@hotline/protocol/policy'
import { readCommand } from './read-command.ts'

/** The words of a template, or in words why the text is none. */
export type TemplateReading = { ok: true; words: TemplateWord[] } | { ok: false; why: string }

/** Stands for any one word where it stands alone. */
const gap = '{word}'

/** Reads the template of a command as a person types it; `{word}` is any plain word. */
export function readTemplate(text: string): TemplateReading {
  // A word that is nowhere in the text, and plain to every reader.
  let mark = 'any-word'
  while (text.includes(mark)) mark = `${mark}-`
  const read = readCommand(
    text
      .split(' ')
      .map((word) => (word === gap ? mark : word))
      .join(' '),
  )
  if (!read.ok) return read
  return { ok: true, words: read.argv.map((word) => (word === mark ? { any: 'word' } : word)) }
}
