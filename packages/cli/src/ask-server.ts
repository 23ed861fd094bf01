import { readFileSync, statSync } from 'node:fs'
import { basename } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { waitBefore } from '@hotline/client/backoff'
import { uploadFile } from '@hotline/client/files'
import { decideMany, type OneDecision, type OneOutcome } from '@hotline/client/decide-many'
import { httpRequest, type Method, openRequest } from '@hotline/client/http-request'
import { openLink } from '@hotline/client/open-link'
import type { Link } from '@hotline/client/link'
import { isPassing } from '@hotline/client/retry'
import { uuidV7 } from '@hotline/client/uuid'
import type { SessionState } from '@hotline/core/session/state'
import type { UploadedAttachment } from '@hotline/protocol/attachment'
import type { CommandInput, CommandType } from '@hotline/protocol/command'
import type { Accepted } from '@hotline/protocol/command-answer'
import type { Problem } from '@hotline/protocol/error'
import { limits } from '@hotline/protocol/limits'
import type { SessionRow } from '@hotline/protocol/http'
import { clientName } from './client-name.ts'
import { Failure, fail } from './failure.ts'
import { namedBy } from './find-id.ts'
import type { Settings } from './settings.ts'

/** A command whose answer does not come is sent so often, each time with the same id. */
const triesMax = 4

/** The server behind the settings, as the commands use it. Refusals are thrown as `Failure`. */
export interface Server {
  readonly url: string
  get<R>(path: string): Promise<R>
  /** An answer that is read as it comes, however long it is. */
  download(path: string): Promise<ReadableStream<Uint8Array>>
  /** Uploads a file of this machine to a session, under the last part of its path. */
  upload(session: string, path: string): Promise<UploadedAttachment>
  /** For what could happen twice if it were sent again: a lost answer is told as such. */
  once<R>(method: Method, path: string, body?: object): Promise<R>
  /** Happens once, however often it has to be sent. */
  command<T extends CommandType>(stream: string, type: T, data: CommandInput<T>): Promise<Accepted>
  /** Answers many approvals, each by itself; what became of each, in their order. */
  decideMany(decisions: readonly OneDecision[]): Promise<readonly OneOutcome[]>
  /** All that one may see, page by page; the one that changed last comes first. */
  sessions(): Promise<readonly SessionRow[]>
  /** A session by its id or by the beginning of it, if that is long enough and only one fits. */
  findSession(text: string): Promise<SessionRow>
  state(session: string): Promise<{ cursor: string; state: SessionState }>
  /** Of those who share a project with whoever asks, by their ids; empty where that cannot be had. */
  names(): Promise<ReadonlyMap<string, string>>
  link(): Link
}

/** Throws a `Failure` where there is no token. */
export function askServer(settings: Settings): Server {
  const { url, token } = settings
  if (token === undefined) {
    throw fail(
      'unauthenticated',
      `No credential for ${url}. Run "hotline sign-in", or put a personal token into HOTLINE_TOKEN, or run this as the ` +
        'user who started Hotline here.',
    )
  }
  const client = clientName()
  const credential = { kind: 'token', token, client } as const
  // oxlint-disable-next-line typescript/no-unnecessary-type-parameters -- the caller names the answer's type
  const ask = async <R>(method: Method, path: string, body?: unknown): Promise<R> => {
    for (let attempt = 1; ; attempt += 1) {
      const answer = await httpRequest<R>(url, credential, method, path, body)
      if (answer.ok) return answer.value
      if (attempt === triesMax || !isPassing(answer.problem)) throw refusal(method, answer.problem)
      await pause(waitBefore(1, Math.random, answer.problem.retryAfterMs).waitMs)
    }
  }
  const refusal = (method: Method, why: Problem): Failure => {
    if (why.code !== 'unreachable') return new Failure(why)
    // Nobody can say whether the request was lost, or only its answer.
    const doubt = method === 'GET' ? '' : ' An answer may have been lost: look before you do it again.'
    return new Failure({ ...why, detail: `${why.detail.replace(/\.$/, '')} (${url}).${doubt}` })
  }
  const server: Server = {
    url,
    get: (path) => ask('GET', path),
    download: async (path) => {
      const { signal } = new AbortController()
      const answer = await openRequest(url, credential, { method: 'GET', path, signal })
      if (!answer.ok) throw refusal('GET', answer.problem)
      return answer.value.body ?? new Blob([]).stream()
    },
    upload: async (session, path) => {
      const content = fileContent(path)
      const { signal } = new AbortController()
      const answer = await uploadFile({ url, credential }, session, { name: basename(path), content }, signal)
      if (answer.ok) return answer.value
      const { detail } = answer.problem
      throw refusal('GET', { ...answer.problem, detail: `"${path}" was not sent. ${detail}` })
    },
    once: async <R>(method: Method, path: string, body?: object) => {
      const answer = await httpRequest<R>(url, credential, method, path, body)
      if (answer.ok) return answer.value
      throw refusal(method, answer.problem)
    },
    command: (stream, type, data) => ask('POST', '/api/commands', { id: uuidV7(), stream, type, data }),
    decideMany: (decisions) =>
      decideMany({ request: (method, path, body) => httpRequest(url, credential, method, path, body) }, decisions),
    sessions: async () => {
      const rows: SessionRow[] = []
      for (let next: string | null = ''; next !== null;) {
        const before: string = next === '' ? '' : `&before=${encodeURIComponent(next)}`
        const page: { sessions: SessionRow[]; next: string | null } = await ask(
          'GET',
          `/api/sessions?limit=500${before}`,
        )
        rows.push(...page.sessions)
        next = page.next
      }
      return rows
    },
    findSession: async (text) => {
      const rows = await server.sessions()
      const fitting = namedBy(text, rows, ({ session }) => session)
      const [only, another] = fitting
      if (!only) throw fail('not_found', `No session begins with "${text}". See: hotline ls --all`)
      if (another) {
        throw fail('invalid_request', `${fitting.length} sessions begin with "${text}". Give more of the id.`)
      }
      return only
    },
    state: (session) => ask('GET', `/api/sessions/${session}`),
    names: async () => {
      const answer = await httpRequest<{ people: { id: string; name: string }[] }>(
        url,
        credential,
        'GET',
        '/api/people',
      )
      return new Map(answer.ok ? answer.value.people.map(({ id, name }) => [id, name]) : [])
    },
    link: () => openLink({ url, credential, client }),
  }
  return server
}

/** Throws a `Failure` where it is no file, or is larger than one may be. */
function fileContent(path: string): Blob {
  const found = statSync(path, { throwIfNoEntry: false })
  if (!found?.isFile()) throw fail('invalid_request', `There is no file "${path}".`)
  const { attachmentBytes } = limits
  if (found.size > attachmentBytes) {
    throw fail('too_large', `"${path}" has ${found.size} bytes; a file of a message has at most ${attachmentBytes}.`)
  }
  try {
    return new Blob([Uint8Array.from(readFileSync(path))])
  } catch (error) {
    throw fail('invalid_request', `"${path}" cannot be read: ${error instanceof Error ? error.message : String(error)}`)
  }
}
