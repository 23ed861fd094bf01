import { type WordToType, wordToType } from '@hotline/core/policy/shape'
import type { AskRow } from '@hotline/protocol/asks'
import type { EventOf } from '@hotline/protocol/events'
import { asKnown } from '@hotline/protocol/known-event'
import type { PermissionMessage } from '@hotline/protocol/permissions'
import { parseJson } from '../json.ts'

type MessageOf<T extends PermissionMessage['type']> = Extract<PermissionMessage, { type: T }>

/** What one message says, before it has its place on a connection: the members by name, and no others. */
export type Unsent<T extends PermissionMessage['type']> = {
  [
    M in keyof MessageOf<T> as string extends M ? never : M extends 'type' | 'seq' | 'timestamp' ? never : M
  ]: MessageOf<T>[M]
} & { timestamp?: string }

/** What a connection keeps of a request that it has shown. */
export interface Shown {
  session: string
  approval: string
  project: string
  toolName: string
  digest: string
  expiresAt: string
  timeStands: boolean
}

/** How a request is named here: the id of an approval is one within its session only. */
export function requestIdOf({ session, approval }: Pick<Shown, 'session' | 'approval'>): string {
  return `${session}/${approval}`
}

/** What a request id names; undefined where it names nothing. */
export function readRequestId(text: string): { session: string; approval: string } | undefined {
  const match = /^([0-9A-Za-z][\w-]{0,63})\/([0-9A-Za-z][\w-]{0,63})$/.exec(text)
  return match ? { session: match[1] ?? '', approval: match[2] ?? '' } : undefined
}

/** The approval that a row asks for, with its latest deadline; undefined for a question. */
export function readAsk(row: AskRow): { asked: EventOf<'approval.requested'>; shown: Shown } | undefined {
  const [first, ...more] = row.events
  const asked = first && asKnown(first)
  if (asked?.type !== 'approval.requested') return undefined
  const last = more.at(-1)
  const extended = last && asKnown(last)
  const expiresAt = extended?.type === 'approval.extended' ? extended.data.expiresAt : asked.data.expiresAt
  const { session, project, timeStands } = row
  const { approval, digest } = asked.data
  const toolName = asked.body?.tool ?? ''
  return { asked, shown: { session, approval, project, toolName, digest, expiresAt, timeStands } }
}

/** The request as it is sent. */
export function requestMessage(
  row: AskRow,
  { asked, shown }: { asked: EventOf<'approval.requested'>; shown: Shown },
): Unsent<'permission-request'> {
  const { data, body } = asked
  const word = body ? wordFor(row.agent, asked) : unreadable
  return {
    id: requestIdOf(shown),
    toolName: shown.toolName,
    input: body?.input === undefined ? null : inputOf(body.input),
    ...(body?.content
      ? { content: { ...body.content, path: `/api/sessions/${row.session}/content/${body.content.digest}` } }
      : {}),
    context: {
      session: row.session,
      title: row.title,
      project: row.project,
      agent: row.agent,
      subAgent: row.subAgent,
      summary: body?.title ?? '',
      cwd: body?.cwd ?? null,
      reason: body?.reason ?? null,
      redacted: body?.redacted ?? false,
      ...(body?.changes ? { changes: body.changes } : {}),
    },
    timestamp: row.askedAt,
    expiresAt: shown.expiresAt,
    timeStands: shown.timeStands,
    digest: data.digest,
    risk: row.risk,
    ...(word ? { confirm: { word: word.word, why: word.why } } : {}),
    decisions: data.verdicts,
    scopes: data.scopes,
  }
}

/** The word that somebody has to type before it is allowed, or before something else is in its place; undefined: none. */
export function wordFor(
  agent: string,
  { data, body }: EventOf<'approval.requested'>,
  changed?: string,
): WordToType | undefined {
  if (!body) return unreadable
  const { tool, cwd, opened } = body
  return wordToType({ agent, tool, input: changed ?? body.input, cwd, opened }, data.risk)
}

const unreadable: WordToType = { word: 'allow', why: 'High risk: what it asks cannot be read any more.', isHigh: true }

/** The JSON where nothing is lost by that: blanks, the order of members and numbers are part of what would run. */
function inputOf(text: string): unknown {
  const parsed = parseJson(text)
  if (!('value' in parsed) || typeof parsed.value !== 'object') return text
  return JSON.stringify(parsed.value) === text ? parsed.value : text
}
