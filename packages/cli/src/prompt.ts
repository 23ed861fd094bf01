import { createInterface } from 'node:readline/promises'
import { Writable } from 'node:stream'
import { fail } from './failure.ts'

/** Asks on the terminal; the question goes to standard error. Throws a `Failure` when it is left without an answer. */
export async function askLine(input: NodeJS.ReadStream, question: string): Promise<string> {
  return await ask(input, question, process.stderr)
}

/** The same, and what is typed is not shown. */
export async function askSecret(input: NodeJS.ReadStream, question: string): Promise<string> {
  process.stderr.write(question)
  const nowhere = new Writable({ write: (_chunk, _encoding, done) => done() })
  try {
    return await ask(input, '', nowhere)
  } finally {
    process.stderr.write('\n')
  }
}

async function ask(input: NodeJS.ReadStream, question: string, output: NodeJS.WritableStream): Promise<string> {
  const lines = createInterface({ input, output, terminal: true })
  const left = new AbortController()
  lines.on('close', () => left.abort())
  lines.on('SIGINT', () => lines.close())
  try {
    return await lines.question(question, { signal: left.signal })
  } catch {
    throw fail('invalid_request', 'Nothing was entered.')
  } finally {
    lines.close()
  }
}
