import type { z } from 'zod'
import type { Holder } from '../../process/holder.ts'
import { type AgentDriver, type AgentSession, StartError, type StartSpec } from '../adapter.ts'
import { startAgent } from '../start-agent.ts'
import { connectionClosed, RpcFailure } from '../wire/peer.ts'
import type { Tee } from '../wire/wire.ts'
import { openingSettings } from './asking-mode.ts'
import { CodexSession } from './codex-session.ts'
import { AccountResult, OpenedThread } from './schema.ts'

/** For the whole handshake. It takes a quarter of a second; after this the start has failed. */
const handshakeTimeoutMs = 60_000

/** Starts codex by its app-server. `tee` hears every line, for debugging. */
export function openCodexDriver(options: { version: string; tee?: (session: string) => Tee | undefined }): AgentDriver {
  return {
    adapter: 'codex',
    start(spec: StartSpec, holder: Holder, signal: AbortSignal): Promise<AgentSession> {
      return startAgent({
        spec,
        holder,
        signal,
        timeoutMs: handshakeTimeoutMs,
        open: (held) => new CodexSession(held, spec, options.tee?.(spec.session)),
        shakeHands: (agent) => shakeHands(agent, spec, options.version),
        why: (error) =>
          error instanceof RpcFailure && error.code === connectionClosed
            ? 'The agent ended before it was ready.'
            : undefined,
      })
    },
  }
}

/**
 * Everything that Hotline adds goes into the requests that open the thread: nothing is written into the person's files,
 * and their settings hold for all the rest.
 */
async function shakeHands(agent: CodexSession, spec: StartSpec, version: string): Promise<void> {
  const { peer, modes } = agent
  const mode = modes.choose(spec.mode)
  await peer.request('initialize', {
    clientInfo: { name: 'hotline', title: 'Hotline', version },
    // Without it codex neither asks questions nor ends what its commands have left running.
    capabilities: { experimentalApi: true },
  })
  peer.notify('initialized', undefined)
  const { account, requiresOpenaiAuth } = read(AccountResult, await peer.request('account/read', {}))
  if (requiresOpenaiAuth === true && (account === null || account === undefined)) {
    throw new StartError('Codex is not signed in on this machine. Sign in there with: codex login')
  }
  const thread = { cwd: spec.cwd, ...openingSettings(mode) }
  const opened =
    spec.resume === undefined
      ? await peer.request('thread/start', thread)
      : await peer.request('thread/resume', { threadId: spec.resume, excludeTurns: true, ...thread })
  agent.settle(read(OpenedThread, opened))
}

function read<T extends z.ZodType>(schema: T, value: unknown): z.output<T> {
  const parsed = schema.safeParse(value ?? {})
  if (parsed.success) return parsed.data
  throw new StartError('The agent answered the handshake with something that cannot be read.', { cause: parsed.error })
}
