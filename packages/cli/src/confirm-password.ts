import { text as readAll } from 'node:stream/consumers'
import type { CommandContext } from './commands/context.ts'
import { Failure, fail } from './failure.ts'
import { openPrompt } from './prompt.ts'

/** Does what may need the password, and asks for it where the server does: at the terminal, or on standard input. */
export async function confirmingPassword<R>(
  context: CommandContext,
  from: 'terminal' | 'standard input',
  work: () => Promise<R>,
): Promise<R> {
  try {
    return await work()
  } catch (error) {
    if (!(error instanceof Failure) || error.problem.code !== 'password_needed') throw error
  }
  const password = await (from === 'terminal' ? askPassword(context) : readPassword(context))
  await context.server().once('POST', '/api/auth/confirm', { password })
  return work()
}

async function askPassword({ stdin }: CommandContext): Promise<string> {
  if (!stdin.isTTY) {
    const detail = 'This needs your password. Run it at a terminal, or give it on standard input with --with-password.'
    throw fail('password_needed', detail)
  }
  const prompt = openPrompt(stdin, process.stderr)
  try {
    return await prompt.secret('Password: ')
  } finally {
    prompt[Symbol.dispose]()
  }
}

async function readPassword({ stdin }: CommandContext): Promise<string> {
  const password = (await readAll(stdin)).replace(/\r?\n$/, '')
  if (password === '') throw fail('password_needed', 'There is no password on standard input.')
  return password
}
