import { httpRequest } from '@hotline/client/http-request'
import { openLink } from '@hotline/client/open-link'
import type { Link } from '@hotline/client/link'
import { uuidV7 } from '@hotline/client/uuid'
import type { SessionState } from '@hotline/core/session/state'
import type { Accepted, CommandInput, CommandType } from '@hotline/protocol/command'
import type { SessionRow } from '@hotline/protocol/http'
import { Failure, fail } from './failure.ts'
import type { Settings } from './settings.ts'

/** The server behind the settings, as the commands use it. Refusals are thrown as `Failure`. */
export interface Server {
  get<R>(path: string): Promise<R>
  command<T extends CommandType>(stream: string, type: T, data: CommandInput<T>): Promise<Accepted>
  sessions(): Promise<readonly SessionRow[]>
  /** A session by its id or by the beginning of it, if only one fits. */
  findSession(text: string): Promise<SessionRow>
  state(session: string): Promise<{ cursor: string; state: SessionState }>
  link(): Link
}

export function askServer(settings: Settings): Server {
  const { url, token } = settings
  if (token === undefined) {
    throw fail(
      'unauthenticated',
      'No credential. Create a personal token in the settings of the page and put it into HOTLINE_TOKEN, or run this as the user who started Hotline here.',
    )
  }
  const credential = { kind: 'token', token } as const
  // oxlint-disable-next-line typescript/no-unnecessary-type-parameters -- the caller names the answer's type
  const get = async <R>(path: string): Promise<R> => {
    const answer = await httpRequest<R>(url, credential, 'GET', path)
    if (!answer.ok) throw new Failure(answer.problem)
    return answer.value
  }
  const sessions = async (): Promise<readonly SessionRow[]> =>
    (await get<{ sessions: SessionRow[] }>('/api/sessions?limit=500')).sessions
  return {
    get,
    sessions,
    command: async (stream, type, data) => {
      const command = { id: uuidV7(), stream, type, data }
      const answer = await httpRequest<Accepted>(url, credential, 'POST', '/api/commands', command)
      if (!answer.ok) throw new Failure(answer.problem)
      return answer.value
    },
    findSession: async (text) => {
      const fitting = (await sessions()).filter(({ session }) => session.startsWith(text))
      const [only, another] = fitting
      if (!only) throw fail('not_found', `No session begins with "${text}". See: hotline ls`)
      if (another)
        throw fail('invalid_request', `${fitting.length} sessions begin with "${text}". Give more of the id.`)
      return only
    },
    state: (session) => get(`/api/sessions/${session}`),
    link: () => openLink({ url, credential, client: 'hotline-cli' }),
  }
}
