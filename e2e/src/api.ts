import { type Credential, httpRequest } from '@hotline/client/http-request'
import { uuidV7 } from '@hotline/client/uuid'
import type { SessionState } from '@hotline/core/session/state'
import type { CommandInput, CommandType } from '@hotline/protocol/command'
import type { Accepted } from '@hotline/protocol/command-answer'
import type { Envelope } from '@hotline/protocol/event'
import { waitFor } from '@hotline/testing/wait-for'

/** A person's hand on a server, over HTTP, that tries again while there is no server: the tests kill it. */
export interface Api {
  get<R>(path: string): Promise<R>
  command<T extends CommandType>(stream: string, type: T, data: CommandInput<T>, id?: string): Promise<Accepted>
  start(agent: string, prompt: string, more?: Partial<CommandInput<'session.start'>>): Promise<string>
  state(session: string): Promise<SessionState>
  events(session: string): Promise<Envelope[]>
  /** Waits for a state, half a minute when nothing else is said. */
  until(
    session: string,
    what: string,
    check: (state: SessionState) => unknown,
    deadlineMs?: number,
  ): Promise<SessionState>
}

/** `credential` is asked for at each request, since it may come to exist later. */
export function openApi(url: string, credential: () => Credential): Api {
  /** Tries again while there is no server: the tests kill it. */
  const again = async <R>(ask: () => ReturnType<typeof httpRequest<R>>): Promise<R> => {
    const answered = await waitFor(
      async () => {
        const answer = await ask()
        return answer.ok || answer.problem.status < 500 ? { answer } : undefined
      },
      { deadlineMs: 30_000, what: 'an answer of the server' },
    )
    if (answered.answer.ok) return answered.answer.value
    throw Object.assign(new Error(answered.answer.problem.detail), { problem: answered.answer.problem })
  }
  const api: Api = {
    get: <R>(path: string) => again(() => httpRequest<R>(url, credential(), 'GET', path)),
    command: async (stream, type, data, id = uuidV7()) =>
      again(() => httpRequest<Accepted>(url, credential(), 'POST', '/api/commands', { id, stream, type, data })),
    start: async (agent, prompt, more = {}) => {
      const session = uuidV7()
      const projects = (await api.get<{ projects: { project: string }[] }>('/api/me')).projects
      await api.command(`session:${session}`, 'session.start', {
        project: projects[0]?.project ?? 'default',
        agent,
        ...(prompt === '' ? {} : { prompt }),
        ...more,
      })
      return session
    },
    state: async (session) => (await api.get<{ state: SessionState }>(`/api/sessions/${session}`)).state,
    events: async (session) => {
      const all: Envelope[] = []
      for (let after = '0'; ;) {
        const page = await api.get<{ events: Envelope[]; next: string }>(
          `/api/sessions/${session}/events?after=${after}`,
        )
        if (page.events.length === 0) return all
        all.push(...page.events)
        after = page.next
      }
    },
    until: async (session, what, check, deadlineMs = 30_000) => {
      let state: SessionState | undefined
      await waitFor(
        async () => {
          state = await api.state(session).catch(() => state)
          return state !== undefined && Boolean(check(state))
        },
        { deadlineMs, what },
      ).catch((error: unknown) => {
        throw new Error(`last state of ${session}: ${JSON.stringify(state)?.slice(0, 600)}`, { cause: error })
      })
      return state as SessionState
    },
  }
  return api
}
