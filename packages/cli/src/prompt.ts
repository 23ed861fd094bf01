import { createInterface } from 'node:readline'
import { Writable } from 'node:stream'
import { fail } from './failure.ts'

/** Questions at a terminal; they go to standard error. */
export interface Prompt extends Disposable {
  /** Throws a `Failure` when it is left without an answer. */
  line(question: string): Promise<string>
  /** The same, and what is typed is not shown, not even what was typed before the question came. */
  secret(question: string): Promise<string>
}

/** Takes the terminal until it is disposed of. One reader for all questions, so that nothing typed ahead is lost. */
export function openPrompt(input: NodeJS.ReadStream, screen: NodeJS.WritableStream): Prompt {
  const typed: string[] = []
  let isShown = false
  let isLeft = false
  let heard: () => void = () => undefined
  const output = new Writable({
    write: (chunk: Buffer, _encoding, done) => {
      if (isShown) screen.write(chunk)
      done()
    },
  })
  const lines = createInterface({ input, output, terminal: true })
  lines.on('line', (line) => {
    // What follows may be the answer to a question for a secret.
    isShown = false
    typed.push(line)
    heard()
  })
  lines.on('SIGINT', () => lines.close())
  lines.on('close', () => {
    isLeft = true
    heard()
  })

  async function answer(): Promise<string> {
    while (typed.length === 0) {
      if (isLeft) throw fail('invalid_request', 'Nothing was entered.')
      await new Promise<void>((resolve) => {
        heard = resolve
      })
    }
    return typed.shift() ?? ''
  }

  return {
    line: async (question) => {
      screen.write(question)
      isShown = typed.length === 0
      return answer()
    },
    secret: async (question) => {
      screen.write(question)
      try {
        return await answer()
      } finally {
        screen.write('\n')
      }
    },
    [Symbol.dispose]: () => lines.close(),
  }
}
