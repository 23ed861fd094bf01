import { hostname } from 'node:os'
import { text as readAll } from 'node:stream/consumers'
import { httpRequest } from '@hotline/client/http-request'
import { problemOfResponse, unreachable } from '@hotline/client/problem-of'
import { readJson } from '@hotline/client/read-json'
import type { Me } from '@hotline/protocol/http'
import type { Command } from 'commander'
import { inLine } from '../approval-card.ts'
import { prepareCredentials, readCredential, storeCredential } from '../credentials.ts'
import { Failure, fail } from '../failure.ts'
import { openPrompt } from '../prompt.ts'
import { withUrl } from '../settings.ts'
import type { CommandContext } from './context.ts'

/** Days until the token of this machine expires. */
const tokenDays = 90

/** `sign-in` and `sign-out`: a personal token of this machine, in a file that only its owner can read. */
export function addSignInCommands(program: Command, context: CommandContext): void {
  program
    .command('sign-in')
    .description('make a personal token for this machine and keep it; or keep one that is given on standard input')
    .option('--name <name>', 'account')
    .option('--with-token', 'read a token from standard input instead of asking for a password')
    .action(async (options: { name?: string; withToken?: boolean }) => {
      const { url, configDir } = context.settings()
      prepareCredentials(configDir)
      const made = options.withToken ? await readToken(context) : await makeToken(context, url, options.name)
      const me = await httpRequest<Me>(url, { kind: 'token', token: made.token }, 'GET', '/api/me')
      if (!me.ok) throw new Failure(me.problem)
      storeCredential(configDir, url, { ...made, name: me.value.name })
      context.print({ url, name: me.value.name }, `Signed in to ${url} as ${inLine(me.value.name)}.\n`)
    })

  program
    .command('sign-out')
    .alias('logout')
    .argument('[url]', 'the server, where it is not the one of --url')
    .description('revoke the token of this machine and forget it')
    .option('--everywhere', 'sign out of every browser as well')
    .option('--all-keys', 'with --everywhere: revoke all your tokens and API keys too')
    .action(async (given: string | undefined, options: { everywhere?: boolean; allKeys?: boolean }) => {
      const { url, configDir } = withUrl(context.settings(), given)
      const stored = readCredential(configDir, url)
      if (options.allKeys && !options.everywhere) throw fail('invalid_request', '--all-keys goes with --everywhere.')
      if (options.everywhere) await signOutEverywhere(url, stored?.token ?? context.settings().token, options)
      if (!stored) {
        const said = options.everywhere ? `Signed out of every browser at ${url}.\n` : `Nothing is stored for ${url}.\n`
        return context.print({ url, signedOut: options.everywhere === true }, said)
      }
      if (stored.key !== undefined) {
        const { token, key } = stored
        const revoked = await httpRequest(url, { kind: 'token', token }, 'DELETE', `/api/keys/${key}`)
        // One that is revoked or expired already is what was wanted.
        if (!revoked.ok && revoked.problem.code !== 'unauthenticated') throw new Failure(revoked.problem)
      }
      storeCredential(configDir, url, undefined)
      context.print({ url, signedOut: true }, `Signed out of ${url}${options.everywhere ? ', everywhere' : ''}.\n`)
    })
}

async function signOutEverywhere(url: string, token: string | undefined, what: { allKeys?: boolean }): Promise<void> {
  if (token === undefined) throw fail('unauthenticated', `There is no credential for ${url} to sign out with.`)
  const keys = what.allKeys ? 'revoke' : 'keep'
  const done = await httpRequest(url, { kind: 'token', token }, 'POST', '/api/auth/sign-out-everywhere', { keys })
  if (!done.ok) throw new Failure(done.problem)
}

async function readToken({ stdin }: CommandContext): Promise<{ token: string }> {
  const token = (await readAll(stdin)).trim()
  if (token === '') throw fail('invalid_request', 'There is no token on standard input.')
  return { token }
}

/** Signs in as a browser does, makes the token, and leaves no browser session behind. */
async function makeToken(
  context: CommandContext,
  url: string,
  given: string | undefined,
): Promise<{ token: string; key: string }> {
  if (!context.stdin.isTTY) {
    throw fail('invalid_request', 'There is no terminal to ask for a password. Use --with-token and standard input.')
  }
  const { name, password } = await askWho(context, given)
  const signedIn = await signIn(context, url, { name, password })
  const cookie = signedIn.cookie
  if (cookie === undefined) throw fail('internal', 'The server gave no session.')
  const body = { kind: 'pat', name: `hotline on ${hostname()}`.slice(0, 100), days: tokenDays }
  const { value } = await post(url, '/api/keys', cookie, body)
  const { token, key } = value as { token: string; key: string }
  await post(url, '/api/auth/sign-out', cookie, {})
  return { token, key }
}

/** With the code of the second factor, where the server asks for one. */
async function signIn(
  { stdin }: CommandContext,
  url: string,
  who: { name: string; password: string },
): Promise<{ cookie: string | undefined }> {
  try {
    return await post(url, '/api/auth/sign-in', undefined, who)
  } catch (error) {
    if (!(error instanceof Failure) || error.problem.code !== 'code_needed') throw error
  }
  const prompt = openPrompt(stdin, process.stderr)
  try {
    const code = await prompt.line('Code of your authenticator app, or a recovery code: ')
    return await post(url, '/api/auth/sign-in', undefined, { ...who, code })
  } finally {
    prompt[Symbol.dispose]()
  }
}

async function askWho(
  { stdin }: CommandContext,
  given: string | undefined,
): Promise<{ name: string; password: string }> {
  const prompt = openPrompt(stdin, process.stderr)
  try {
    const name = given ?? (await prompt.line('Name: '))
    return { name, password: await prompt.secret('Password: ') }
  } finally {
    prompt[Symbol.dispose]()
  }
}

async function post(
  url: string,
  path: string,
  cookie: string | undefined,
  body: object,
): Promise<{ value: unknown; cookie: string | undefined }> {
  let response: Response
  try {
    response = await fetch(new URL(path, url), {
      method: 'POST',
      headers: { 'content-type': 'application/json', origin: url, ...(cookie === undefined ? {} : { cookie }) },
      body: JSON.stringify(body),
    })
  } catch {
    // `fetch` says no more than "failed".
    throw new Failure(unreachable(`The server at ${url} cannot be reached.`))
  }
  const value = readJson(await response.text())
  if (!response.ok) throw new Failure(problemOfResponse(response.status, value, response.headers.get('retry-after')))
  return { value, cookie: response.headers.getSetCookie()[0]?.split(';', 1)[0] }
}
