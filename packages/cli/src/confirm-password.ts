import { text as readAll } from 'node:stream/consumers'
import type { CommandContext } from './commands/context.ts'
import { Failure, fail } from './failure.ts'
import { openPrompt } from './prompt.ts'

/**
 * Does what may need the password. On standard input it was given on purpose, and is looked at in any case; at the terminal
 * it is asked for where the server does.
 */
export async function confirmingPassword<R>(
  context: CommandContext,
  from: 'terminal' | 'standard input',
  work: () => Promise<R>,
): Promise<R> {
  if (from === 'standard input') {
    await confirm(context, await readPassword(context))
    return await work()
  }
  try {
    return await work()
  } catch (error) {
    if (!(error instanceof Failure) || error.problem.code !== 'password_needed') throw error
  }
  await confirm(context, await askPassword(context))
  return work()
}

async function confirm(context: CommandContext, password: string): Promise<void> {
  await context.server().once('POST', '/api/auth/confirm', { password })
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
