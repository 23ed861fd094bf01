import type { WordToType } from '@hotline/core/policy/shape'
import type { CommandContext } from './commands/context.ts'
import { fail } from './failure.ts'
import { openPrompt } from './prompt.ts'

/** What is on the screen before somebody says yes to it. */
export interface Question {
  /** With a question mark. */
  what: string
  lines: readonly string[]
  /** Typed in place of a yes. */
  word?: WordToType | undefined
  grave?: boolean | undefined
  /** How the same is said without a terminal. */
  otherwise: string
}

/**
 * Who allows something has read it: on this screen just now, or elsewhere, and then the digest says so. Throws a `Failure` where
 * nothing was decided.
 */
export async function askBack({ stdin }: CommandContext, question: Question): Promise<void> {
  const { stderr } = process
  if (!stdin.isTTY || !stderr.isTTY) {
    throw fail(
      'invalid_request',
      'There is no terminal to show it and to ask. Read it with "hotline --json asks", and give the digest of what was ' +
        `read: ${question.otherwise}`,
    )
  }
  const wanted = wordOf(question, rowsOf(question.lines, stderr.columns) > stderr.rows)
  const prompt = openPrompt(stdin, stderr)
  try {
    const how = wanted === undefined ? '[y/N]' : `Type "${wanted.word}" (${wanted.why}):`
    const answer = (await prompt.decision(`${question.what} ${how} `)).trim()
    const isYes = wanted === undefined ? /^y(es)?$/i.test(answer) : answer.toLowerCase() === wanted.word.toLowerCase()
    if (!isYes) throw fail('invalid_request', 'Nothing was decided.')
  } finally {
    prompt[Symbol.dispose]()
  }
}

function wordOf({ word, grave }: Question, isLong: boolean): { word: string; why: string } | undefined {
  if (grave) return { word: 'allow', why: 'look closely' }
  if (word) return word
  return isLong ? { word: 'allow', why: 'it is longer than the screen' } : undefined
}

/** Rows of the screen that the lines take. Characters that are two columns wide count once: then it is not a page. */
function rowsOf(lines: readonly string[], columns: number): number {
  return lines.reduce((rows, line) => rows + Math.max(1, Math.ceil(line.length / columns)), 0)
}
