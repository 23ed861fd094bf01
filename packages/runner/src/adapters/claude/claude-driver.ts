import { randomUUID } from 'node:crypto'
import type { Holder } from '../../process/holder.ts'
import { type AgentDriver, type AgentSession, StartError, type StartSpec } from '../adapter.ts'
import { uuidOf } from '../../uuid-of.ts'
import { startAgent } from '../start-agent.ts'
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
      const { argv, resume, seed, session } = spec
      const native = resume ?? (seed === undefined ? randomUUID() : uuidOf(`conversation ${seed}`))
      const conversation = resume === undefined ? ['--session-id', native] : ['--resume', native]
      return await startAgent({
        spec,
        argv: [...argv, ...flags, '--permission-mode', startMode(spec), ...conversation],
        holder,
        signal,
        timeoutMs: handshakeTimeoutMs,
        open: (held) => new ClaudeSession(held, spec, native, options.tee?.(session)),
        shakeHands,
        why: (error) =>
          error instanceof ControlFailure && error.isGone ? 'The agent ended before it was ready.' : undefined,
      })
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
