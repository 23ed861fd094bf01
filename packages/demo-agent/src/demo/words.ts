import type { AvailableCommand } from '@agentclientprotocol/sdk'

/** The words that the demonstration reacts to. */
export type Word = 'tour' | 'ask' | 'write' | 'run' | 'plan' | 'long' | 'question' | 'help'

/** What a person asked the demonstration for. */
export interface Request {
  word: Word
  /** What follows the word in its short form, as in "write hello.md". */
  argument: string | null
}

const WORDS: Record<Word, { description: string; hint?: string }> = {
  tour: { description: 'The guided tour again' },
  ask: { description: 'I ask you for permission to write a file' },
  write: { description: 'I ask, then write a file of that name', hint: 'a file name, such as hello.md' },
  run: { description: 'I ask, then run a harmless command', hint: 'node or ls' },
  plan: { description: 'I show a plan and work through it' },
  long: { description: 'I talk slowly for a minute, so that you can write or cancel meanwhile' },
  question: { description: 'I ask you a question and wait' },
  help: { description: 'This list' },
}

const NAMES = Object.keys(WORDS) as Word[]

/** A longer message is prose: a word in it by chance means nothing. */
const MAX_WORDS_OF_A_REQUEST = 6

/** The words as ACP commands, so that a client can offer them. */
export const DEMO_COMMANDS: AvailableCommand[] = NAMES.map((name) => {
  const { description, hint } = WORDS[name]
  return { name, description, ...(hint !== undefined && { input: { hint } }) }
})

/** The words as a list for people. */
export const WORD_LIST: string = NAMES.map((name) => {
  const { description, hint } = WORDS[name]
  return `- ${name}${hint === undefined ? '' : ' (name)'}: ${description}`
}).join('\n')

/**
 * Finds out what a message asks for: a word at the start with at most one argument ("/write hello.md"), or the first
 * word of ours in a short message ("could you run something?"). null when there is none.
 */
export function parseRequest(text: string): Request | null {
  const parts = text.trim().split(/\s+/)
  const [first = '', second = null] = parts
  const word = toWord(first)
  if (word && parts.length <= 2) return { word, argument: second }
  if (parts.length > MAX_WORDS_OF_A_REQUEST) return null
  const mentioned = parts.map(toWord).find((candidate) => candidate !== null)
  return mentioned ? { word: mentioned, argument: null } : null
}

function toWord(part: string): Word | null {
  const bare = part.toLowerCase().replaceAll(/^\W+|\W+$/g, '')
  return NAMES.find((name) => name === bare) ?? null
}
