import { createInterface } from 'node:readline'
import { Writable } from 'node:stream'
import { fail } from './failure.ts'

/** Questions at a terminal; they go to standard error. */
export interface Prompt extends Disposable {
  /** Throws a `Failure` when it is left without an answer. */
  line(question: string): Promise<string>
  /** The same, and what is typed is not shown, not even what was typed before the question came. */
  secret(question: string): Promise<string>
  /** For what must have been read first: an answer that was begun before is passed over, and the question asked again. */
  decision(question: string): Promise<string>
}

/** What is on the screen for a shorter time cannot have been read. */
const unreadMs = 700

/** Takes the terminal until it is disposed of. One reader for all questions, so that nothing typed ahead is lost. */
export function openPrompt(input: NodeJS.ReadStream, screen: NodeJS.WritableStream): Prompt {
  const typed: { line: string; begunAtMs: number }[] = []
  let begunAtMs: number | undefined
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
  const noteKey = (): void => {
    begunAtMs ??= performance.now()
  }
  // Before the reader of lines hears of the same keys.
  input.prependListener('data', noteKey)
  lines.on('line', (line) => {
    // What follows may be the answer to a question for a secret.
    isShown = false
    typed.push({ line, begunAtMs: begunAtMs ?? 0 })
    begunAtMs = undefined
    heard()
  })
  lines.on('SIGINT', () => lines.close())
  lines.on('close', () => {
    input.off('data', noteKey)
    isLeft = true
    heard()
  })

  async function next(): Promise<{ line: string; begunAtMs: number }> {
    for (;;) {
      const first = typed.shift()
      if (first) return first
      if (isLeft) throw fail('invalid_request', 'Nothing was entered.')
      await new Promise<void>((resolve) => {
        heard = resolve
      })
    }
  }

  return {
    line: async (question) => {
      screen.write(question)
      isShown = typed.length === 0
      return (await next()).line
    },
    secret: async (question) => {
      screen.write(question)
      try {
        return (await next()).line
      } finally {
        screen.write('\n')
      }
    },
    decision: async (question) => {
      const shownAtMs = performance.now()
      for (;;) {
        screen.write(question)
        isShown = true
        const { line, begunAtMs: atMs } = await next()
        if (atMs - shownAtMs > unreadMs) return line
        typed.length = 0
        screen.write('That came before it could have been read.\n')
      }
    },
    [Symbol.dispose]: () => lines.close(),
  }
}
