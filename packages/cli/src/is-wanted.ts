import { openPrompt } from './prompt.ts'

/** Asks whether to do what is on the screen. No without a terminal to ask at. */
export async function isWanted(stdin: NodeJS.ReadStream, question: string): Promise<boolean> {
  if (!stdin.isTTY || !process.stderr.isTTY) return false
  const prompt = openPrompt(stdin, process.stderr)
  try {
    return /^y(es)?$/i.test((await prompt.decision(`${question} [y/N] `)).trim())
  } finally {
    prompt[Symbol.dispose]()
  }
}
