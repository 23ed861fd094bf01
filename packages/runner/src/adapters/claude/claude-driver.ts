import { randomUUID } from 'node:crypto'
import type { Holder } from '../../process/holder.ts'
import { type AgentDriver, type AgentSession, StartError, type StartSpec } from '../adapter.ts'
import type { Tee } from '../wire/wire.ts'
import { ClaudeSession } from './claude-session.ts'
import { ControlFailure } from './control.ts'
import { startMode } from './modes.ts'
import { Initialized } from './schema.ts'

/** For the whole handshake, which takes a third of a second on a machine at rest; after this the start has failed. */
const handshakeTimeoutMs = 90_000

/** What makes it speak the control protocol: nothing of it is written anywhere. */
const flags: readonly string[] = [
  '-p',
  '--input-format',
  'stream-json',
  '--output-format',
  'stream-json',
  '--verbose',
  '--permission-prompt-tool',
  'stdio',
  '--include-partial-messages',
  '--replay-user-messages',
]

/** Hears how each tool came out, for as long as this process runs. */
const hooks = {
  PostToolUse: [{ hookCallbackIds: ['done'] }],
  PostToolUseFailure: [{ hookCallbackIds: ['failed'] }],
}

/**
 * Starts Claude Code by the person's own program, login and settings, over its control protocol on stdin and stdout. `tee`
 * hears every line, for debugging.
 */
export function openClaudeDriver(options: { tee?: (session: string) => Tee | undefined } = {}): AgentDriver {
  return {
    adapter: 'claude',
    async start(spec: StartSpec, holder: Holder, signal: AbortSignal): Promise<AgentSession> {
      const { session, argv, cwd, env, run, resume } = spec
      const native = resume ?? randomUUID()
      const conversation = resume === undefined ? ['--session-id', native] : ['--resume', native]
      const full = [...argv, ...flags, '--permission-mode', startMode(spec), ...conversation]
      const held = await holder.start({ session, argv: full, cwd, env, run }).catch((cause: unknown) => {
        throw new StartError(`"${argv[0]}" could not be started: ${messageOf(cause)}`, { cause })
      })
      const agent = new ClaudeSession(held, spec, native, options.tee?.(session))
      const ending = AbortSignal.any([signal, AbortSignal.timeout(handshakeTimeoutMs)])
      try {
        await Promise.race([shakeHands(agent), aborted(ending, signal)])
        return agent
      } catch (error) {
        await held.end(0)
        throw explain(error, agent.lastWords)
      }
    },
  }
}

async function shakeHands(agent: ClaudeSession): Promise<void> {
  const answer = Initialized.safeParse((await agent.control.request({ subtype: 'initialize', hooks })) ?? {})
  if (!answer.success) {
    throw new StartError('The agent answered the handshake with something that cannot be read.')
  }
  const { account } = answer.data
  if (account?.apiProvider === 'firstParty' && account.tokenSource === 'none' && !account.apiKeySource) {
    throw new StartError(
      'Claude Code is not signed in on this machine. Run "claude" there once and sign in with /login, or give the ' +
        'runner an ANTHROPIC_API_KEY.',
    )
  }
  await agent.settle(answer.data)
}

function aborted(ending: AbortSignal, byCaller: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    const fail = (): void =>
      reject(
        new StartError(
          byCaller.aborted
            ? 'The start was called off.'
            : `The agent did not get ready within ${handshakeTimeoutMs / 1_000} seconds.`,
        ),
      )
    if (ending.aborted) fail()
    else ending.addEventListener('abort', fail, { once: true })
  })
}

function explain(error: unknown, lastWords: string): StartError {
  const words = lastWords === '' ? '' : ` Its last words: ${lastWords}`
  if (error instanceof StartError) return new StartError(`${error.message}${words}`, { cause: error })
  if (error instanceof ControlFailure && error.isGone) {
    return new StartError(`The agent ended before it was ready.${words}`, { cause: error })
  }
  return new StartError(`The agent could not be started: ${messageOf(error)}${words}`, { cause: error })
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
