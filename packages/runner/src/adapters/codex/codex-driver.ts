import type { z } from 'zod'
import type { Holder } from '../../process/holder.ts'
import { type AgentDriver, type AgentSession, StartError, type StartSpec } from '../adapter.ts'
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
    async start(spec: StartSpec, holder: Holder, signal: AbortSignal): Promise<AgentSession> {
      const { session, argv, cwd, env, run } = spec
      const held = await holder.start({ session, argv, cwd, env, run }).catch((cause: unknown) => {
        throw new StartError(`"${argv[0]}" could not be started: ${messageOf(cause)}`, { cause })
      })
      const agent = new CodexSession(held, spec, options.tee?.(session))
      const ending = AbortSignal.any([signal, AbortSignal.timeout(handshakeTimeoutMs)])
      try {
        await Promise.race([shakeHands(agent, spec, options.version), aborted(ending, signal)])
        return agent
      } catch (error) {
        await held.end(0)
        throw explain(error, agent.lastWords)
      }
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
  if (error instanceof RpcFailure && error.code === connectionClosed) {
    return new StartError(`The agent ended before it was ready.${words}`, { cause: error })
  }
  return new StartError(`The agent could not be started: ${messageOf(error)}${words}`, { cause: error })
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
