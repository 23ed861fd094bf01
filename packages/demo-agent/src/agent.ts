import { randomUUID } from 'node:crypto'
import { stat } from 'node:fs/promises'
import { isAbsolute } from 'node:path'
import { z } from 'zod'
import { DEMO_COMMANDS } from './demo/words.ts'
import type { Host } from './host.ts'
import type { AgentOptions } from './options.ts'
import { ASK_MODE, isOfferedMode, modeState } from './session.ts'
import type { Session } from './session.ts'
import { createTranscript, openTranscript, readTranscript } from './transcript.ts'
import type { StoredSession } from './transcript.ts'
import { answerPrompt } from './prompt.ts'
import { sendUpdate } from './turn.ts'
import type { Out } from './wire/out.ts'
import type { Call, Handlers, Peer } from './wire/peer.ts'
import { RPC_CODES, RpcError } from './wire/rpc-error.ts'

/** What the agent calls itself; the label of a demonstration is part of it. */
export const AGENT_INFO = {
  name: 'hotline-demo-agent',
  title: 'Hotline demo agent (scripted, no model)',
  version: '0.1.0',
} as const

/** The agent's side of ACP. */
export interface Agent {
  readonly handlers: Handlers
  /** Cancels every running turn. */
  cancelAll(): void
}

const capabilities = z.looseObject({ elicitation: z.looseObject({ form: z.unknown() }).nullish() })
const initializeParams = z.looseObject({ protocolVersion: z.number(), clientCapabilities: capabilities.nullish() })
const newParams = z.looseObject({ cwd: z.string() })
const loadParams = z.looseObject({ cwd: z.string(), sessionId: z.string() })
const modeParams = z.looseObject({ sessionId: z.string(), modeId: z.string() })
const promptParams = z.looseObject({
  sessionId: z.string(),
  prompt: z.array(z.looseObject({ type: z.string(), text: z.string().exactOptional() })),
})
const cancelParams = z.looseObject({ sessionId: z.string() })

/** Puts the agent together. It holds its sessions until the process ends. */
export function createAgent(peer: Peer, out: Out, host: Host, options: AgentOptions): Agent {
  const sessions = new Map<string, Session>()
  let clientHasForms = false

  const find = (sessionId: string): Session => {
    const session = sessions.get(sessionId)
    if (!session) throw new RpcError(RPC_CODES.notFound, `no session ${sessionId} is open here`)
    return session
  }

  const tellCommands = (session: Session): Promise<void> =>
    sendUpdate({ session, peer }, { sessionUpdate: 'available_commands_update', availableCommands: DEMO_COMMANDS })

  const startSession = async (params: unknown, call: Call): Promise<unknown> => {
    const { cwd } = parse(newParams, params)
    await checkFolder(cwd)
    const id = `demo-${randomUUID()}`
    const session = openSession(id, cwd, createTranscript(options.stateFolder, cwd, id), null)
    sessions.set(id, session)
    call.afterAnswer(() => tellCommands(session))
    return { sessionId: id, modes: modeState(session) }
  }

  const reopen = async (params: unknown, call: Call): Promise<{ session: Session; stored: StoredSession }> => {
    const { cwd, sessionId } = parse(loadParams, params)
    await checkFolder(cwd)
    const stored = readTranscript(options.stateFolder, cwd, sessionId)
    if (!stored) throw new RpcError(RPC_CODES.notFound, `there is no session ${sessionId} in ${cwd}`)
    sessions.get(sessionId)?.turn?.abort()
    const session = openSession(sessionId, cwd, openTranscript(options.stateFolder, cwd, sessionId), stored)
    sessions.set(sessionId, session)
    call.afterAnswer(() => tellCommands(session))
    return { session, stored }
  }

  const requests: Handlers['requests'] = {
    initialize: async (params) => {
      const { clientCapabilities } = parse(initializeParams, params)
      clientHasForms = Boolean(clientCapabilities?.elicitation?.form)
      return {
        protocolVersion: 1, // whatever was asked for: the client must accept it or leave
        agentInfo: AGENT_INFO,
        agentCapabilities: {
          loadSession: true,
          promptCapabilities: { image: false, audio: false, embeddedContext: false },
          sessionCapabilities: { resume: {} },
        },
        authMethods: [],
        _meta: { steering: { supported: true } },
      }
    },
    'session/new': startSession,
    'session/load': async (params, call) => {
      const { session, stored } = await reopen(params, call)
      for (const update of stored.updates) await sendUpdate({ session, peer }, update)
      return { modes: modeState(session) }
    },
    'session/resume': async (params, call) => {
      const { session } = await reopen(params, call)
      return { modes: modeState(session) }
    },
    'session/set_mode': async (params) => {
      const { sessionId, modeId } = parse(modeParams, params)
      const session = find(sessionId)
      if (!isOfferedMode(modeId)) throw new RpcError(RPC_CODES.invalidParams, `there is no mode ${modeId}`)
      session.modeId = modeId
      session.transcript.keepMode(modeId)
      return {}
    },
    // The extension by which some agents take a message in the middle of a turn.
    '_session/steering': async (params) => {
      const { sessionId, prompt } = parse(promptParams, params)
      const { inbox, turn } = find(sessionId)
      if (!turn) return { outcome: 'promptRequired', reason: 'noRunningTurn' }
      inbox.texts.push(textOf(prompt))
      inbox.arrived?.()
      return { outcome: 'injected' }
    },
    'session/prompt': async (params, call) => {
      const { sessionId, prompt } = parse(promptParams, params)
      const session = find(sessionId)
      return answerPrompt({ session, peer, out, host, clientHasForms, options }, textOf(prompt), call.signal)
    },
  }

  return {
    handlers: {
      requests,
      notifications: {
        'session/cancel': (params) => {
          const { data } = cancelParams.safeParse(params)
          if (data) sessions.get(data.sessionId)?.turn?.abort()
        },
      },
    },
    cancelAll: () => {
      for (const session of sessions.values()) session.turn?.abort()
    },
  }
}

function textOf(prompt: z.output<typeof promptParams>['prompt']): string {
  return prompt
    .map((block) => (block.type === 'text' ? (block.text ?? '') : ''))
    .join('\n')
    .trim()
}

function openSession(
  id: string,
  cwd: string,
  transcript: Session['transcript'],
  stored: StoredSession | null,
): Session {
  return {
    id,
    cwd,
    transcript,
    modeId: stored?.modeId ?? ASK_MODE,
    alwaysAllowed: new Set(),
    turn: null,
    pendingQuestion: null,
    inbox: { texts: [], arrived: null },
    greeted: stored?.updates.some(({ sessionUpdate }) => sessionUpdate === 'user_message_chunk') ?? false,
  }
}

function parse<T>(schema: z.ZodType<T>, params: unknown): T {
  const result = schema.safeParse(params)
  if (!result.success) throw new RpcError(RPC_CODES.invalidParams, z.prettifyError(result.error))
  return result.data
}

async function checkFolder(cwd: string): Promise<void> {
  const entry = isAbsolute(cwd) ? await stat(cwd).catch(() => null) : null
  if (!entry?.isDirectory()) throw new RpcError(RPC_CODES.invalidParams, `cwd must be an absolute folder: ${cwd}`)
}
