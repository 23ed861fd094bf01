import { randomUUID } from 'node:crypto'
import { takeCoverage } from 'node:v8'
import type { CommandOutcome, ConnectionState, Follower } from '@hotline/client/link'
import type { Envelope } from '@hotline/protocol/event'
import { problem } from '@hotline/protocol/error'
import type { ServerLink } from '../src/server-link.ts'
import { composeBench } from './compose.ts'
import { fakeClaudeProfile } from './fake-claude-acts.ts'
import { codexProfileOf } from './profile-of.ts'

/** What a runner in a process of its own and the test that holds its server say to each other. */
export type ToServer =
  | { k: 'follow'; id: string; stream: string; after: string }
  | { k: 'unfollow'; id: string }
  | { k: 'command'; id: string; stream: string; type: string; data: unknown }
  | { k: 'request'; id: string; method: 'GET' | 'POST' | 'PUT' | 'DELETE'; path: string; body?: unknown }
  | { k: 'ready'; runner: string }
  | { k: 'counted' }
export type ToRunner =
  | { k: 'events'; id: string; events: readonly Envelope[]; epoch: string }
  | { k: 'caughtUp'; id: string; cursor: string }
  | { k: 'answer'; id: string; outcome: CommandOutcome }
  | { k: 'response'; id: string; answer: { ok: true; value: unknown } }
  | { k: 'hint' }
  /** Where lines are counted, say now which were run: it is killed next. */
  | { k: 'count' }

/** A link over the channel to the process that started this one. */
function linkOverChannel(): ServerLink {
  const state: ConnectionState = { status: 'open', since: 0, transport: 'websocket' }
  const followers = new Map<string, Follower>()
  /** How far each has read. */
  const cursors = new Map<string, string>()
  const waiting = new Map<string, (value: never) => void>()
  const ears = new Set<(frame: { kind: string }) => void>()
  const send = (message: ToServer): void => void process.send?.(message)
  process.on('message', (message: ToRunner) => {
    if (message.k === 'events') {
      followers.get(message.id)?.events(message.events, message.epoch)
      cursors.set(message.id, `${message.epoch}.${message.events.at(-1)?.seq ?? 0}`)
    }
    if (message.k === 'caughtUp') followers.get(message.id)?.caughtUp?.(message.cursor)
    if (message.k === 'answer') waiting.get(message.id)?.(message.outcome as never)
    if (message.k === 'response') waiting.get(message.id)?.(message.answer as never)
    if (message.k === 'hint') for (const hear of ears) hear({ kind: 'work' })
    if (message.k === 'count') {
      takeCoverage()
      process.send?.({ k: 'counted' } satisfies ToServer)
    }
  })
  return {
    connection: { value: state, watch: () => () => undefined },
    follow: (stream, after, follower) => {
      const id = randomUUID()
      followers.set(id, follower)
      send({ k: 'follow', id, stream, after })
      return {
        get cursor() {
          return cursors.get(id) ?? after
        },
        close: () => {
          followers.delete(id)
          send({ k: 'unfollow', id })
        },
      }
    },
    command: (stream, type, data, { id = randomUUID(), signal } = {}) =>
      new Promise<CommandOutcome>((resolve) => {
        waiting.set(id, resolve)
        signal?.addEventListener('abort', () => resolve({ ok: false, problem: problem('unreachable', 'Given up.') }))
        send({ k: 'command', id, stream, type, data })
      }),
    request: (method, path, body) =>
      new Promise((resolve) => {
        const id = randomUUID()
        waiting.set(id, resolve)
        send({ k: 'request', id, method, path, body })
      }),
    ephemeral: (hear) => {
      ears.add(hear)
      return () => ears.delete(hear)
    },
  }
}

const [, , folder, holds] = process.argv
// The one who started it may be gone first.
process.on('error', () => process.exit())
if (process.send && folder !== undefined) {
  const supervisor = composeBench({
    folder,
    link: linkOverChannel(),
    write: (line) => process.stderr.write(line),
    holds: holds === 'by keeper' || holds === 'without keeper' ? holds : 'itself',
    profiles: [fakeClaudeProfile({}), codexProfileOf('codex', {})],
  })
  await supervisor.start()
  process.send({ k: 'ready', runner: await supervisor.announced })
}
