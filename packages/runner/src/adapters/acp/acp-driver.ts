import type { z } from 'zod'
import type { Holder } from '../../process/holder.ts'
import { type AgentDriver, type AgentSession, StartError, type StartSpec } from '../adapter.ts'
import { AcpSession } from './acp-session.ts'
import { connectionClosed, RpcFailure } from '../wire/peer.ts'
import { InitializeResult, OpenedSession } from './schema.ts'
import type { Tee } from '../wire/wire.ts'

/** For the whole handshake. The slowest agents that were seen take four seconds; after this the start has failed. */
const handshakeTimeoutMs = 90_000

/** Code of a refusal that asks for a sign-in first. */
const authRequired = -32_000

/** Starts agents that speak the Agent Client Protocol, version 1. `tee` hears every line, for debugging. */
export function openAcpDriver(options: { version: string; tee?: (session: string) => Tee | undefined }): AgentDriver {
  return {
    adapter: 'acp',
    async start(spec: StartSpec, holder: Holder, signal: AbortSignal): Promise<AgentSession> {
      const { session, argv, cwd, env, run } = spec
      const held = await holder.start({ session, argv, cwd, env, run }).catch((cause: unknown) => {
        throw new StartError(`"${argv[0]}" could not be started: ${messageOf(cause)}`, { cause })
      })
      const agent = new AcpSession(held, spec, options.tee?.(session))
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

/** Nothing of ours is offered: no files, no terminal. Forms are, for the agent's questions. */
async function shakeHands(agent: AcpSession, spec: StartSpec, version: string): Promise<void> {
  const { peer } = agent
  const initialized = read(
    InitializeResult,
    await peer.request('initialize', {
      protocolVersion: 1,
      clientInfo: { name: 'hotline', title: 'Hotline', version },
      clientCapabilities: {
        fs: { readTextFile: false, writeTextFile: false },
        terminal: false,
        elicitation: { form: {} },
      },
    }),
  )
  if (initialized.protocolVersion !== 1) {
    throw new StartError(`The agent speaks version ${initialized.protocolVersion} of ACP; version 1 is spoken here.`)
  }
  const { cwd, resume } = spec
  const folder = { cwd, mcpServers: [] }
  if (resume === undefined) {
    const opened = read(OpenedSession, await peer.request('session/new', folder))
    if (!opened.sessionId) throw new StartError('The agent opened a session without a name.')
    return agent.settle(initialized, opened, opened.sessionId)
  }
  const { loadSession, sessionCapabilities } = initialized.agentCapabilities ?? {}
  if (!sessionCapabilities?.resume && loadSession !== true) {
    throw new StartError('The agent cannot take up an earlier session.')
  }
  const method = sessionCapabilities?.resume ? 'session/resume' : 'session/load'
  const opened = read(OpenedSession, await peer.request(method, { sessionId: resume, ...folder }))
  return agent.settle(initialized, opened, resume)
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
  if (error instanceof RpcFailure && error.code === authRequired) {
    return new StartError(`The agent wants you to sign in first, with its own command line: ${error.message}${words}`, {
      cause: error,
    })
  }
  return new StartError(`The agent could not be started: ${messageOf(error)}${words}`, { cause: error })
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
