import type { z } from 'zod'
import type { Holder } from '../../process/holder.ts'
import { type AgentDriver, type AgentSession, StartError, type StartSpec } from '../adapter.ts'
import { startAgent } from '../start-agent.ts'
import { AcpSession } from './acp-session.ts'
import { connectionClosed, RpcFailure } from '../wire/peer.ts'
import { InitializeResult, OpenedSession } from './schema.ts'
import type { Tee } from '../wire/wire.ts'

/** For the whole handshake. The slowest agents that were seen take four seconds; after this the start has failed. */
const handshakeTimeoutMs = 90_000

/** Code of a refusal that asks for a sign-in first. */
const authRequired = -32_000

/** What the driver is opened with; see `openDrivers`. */
interface DriverOptions {
  version: string
  tee?: (session: string) => Tee | undefined
  silenceMs?: number | undefined
}

/** Starts agents that speak the Agent Client Protocol, version 1 or the draft of version 2. `tee` hears every line, for debugging. */
export function openAcpDriver(options: DriverOptions): AgentDriver {
  return {
    adapter: 'acp',
    start(spec: StartSpec, holder: Holder, signal: AbortSignal): Promise<AgentSession> {
      return startAgent({
        spec,
        holder,
        signal,
        timeoutMs: handshakeTimeoutMs,
        open: (held) => new AcpSession(held, spec, options.tee?.(spec.session), options.silenceMs),
        shakeHands: (agent) => shakeHands(agent, spec, options.version),
        why,
      })
    },
  }
}

async function shakeHands(agent: AcpSession, spec: StartSpec, version: string): Promise<void> {
  const { peer } = agent
  const initialized = await initialize(agent, version)
  const isV2 = initialized.protocolVersion === 2
  if (isV2) agent.speakV2()
  const { cwd, resume } = spec
  const folder = { cwd, mcpServers: [] }
  if (resume === undefined) {
    const opened = read(OpenedSession, await peer.request('session/new', folder))
    if (!opened.sessionId) throw new StartError('The agent opened a session without a name.')
    return agent.settle(initialized, opened, opened.sessionId)
  }
  const { loadSession, sessionCapabilities } = initialized.agentCapabilities ?? {}
  const canResume = isV2 || Boolean(sessionCapabilities?.resume)
  if (!canResume && loadSession !== true) {
    throw new StartError('The agent cannot take up an earlier session.')
  }
  const method = canResume ? 'session/resume' : 'session/load'
  const opened = read(OpenedSession, await peer.request(method, { sessionId: resume, ...folder }))
  return agent.settle(initialized, opened, resume)
}

/**
 * Version 2 is asked for, in words that both versions read; an agent of version 1 answers 1. One that takes offence at the
 * number, or only repeats it, is asked again for version 1. Nothing of ours is offered: no files, no terminal. Forms are, for
 * the agent's questions.
 */
async function initialize({ peer }: AcpSession, version: string): Promise<InitializeResult> {
  const info = { name: 'hotline', title: 'Hotline', version }
  const elicitation = { form: {} }
  const v1 = {
    protocolVersion: 1,
    clientInfo: info,
    clientCapabilities: { fs: { readTextFile: false, writeTextFile: false }, terminal: false, elicitation },
  }
  const both = { ...v1, protocolVersion: 2, info, capabilities: { elicitation } }
  const first = await peer.request('initialize', both).then(
    (answer) => read(InitializeResult, answer),
    (error: unknown) => {
      if (error instanceof RpcFailure && error.code !== connectionClosed && error.code !== authRequired)
        return undefined
      throw error
    },
  )
  const isClear = first?.protocolVersion === 1 || (first?.protocolVersion === 2 && first.info)
  const initialized = isClear ? first : read(InitializeResult, await peer.request('initialize', v1))
  const spoken = initialized.protocolVersion
  if (spoken === 1 || isClear) return initialized
  throw new StartError(`The agent speaks version ${spoken} of ACP; versions 1 and 2 are spoken here.`)
}

function read<T extends z.ZodType>(schema: T, value: unknown): z.output<T> {
  const parsed = schema.safeParse(value ?? {})
  if (parsed.success) return parsed.data
  throw new StartError('The agent answered the handshake with something that cannot be read.', { cause: parsed.error })
}

function why(error: unknown): string | undefined {
  if (!(error instanceof RpcFailure)) return undefined
  if (error.code === connectionClosed) return 'The agent ended before it was ready.'
  if (error.code !== authRequired) return undefined
  return `The agent wants you to sign in first, with its own command line: ${error.message}`
}
