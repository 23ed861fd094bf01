/** What a stream belongs to: a run of an agent, a card, a project, the server itself, or a person alone. */
export const streamKinds = ['session', 'task', 'project', 'server', 'account'] as const

/** What a stream is the log of. */
export type StreamKind = (typeof streamKinds)[number]

/** Ids are minted by us or by a client as UUIDs; short names are allowed so that people can read them. Never a leading `-`. */
export const idPattern = /^[A-Za-z0-9_][A-Za-z0-9_-]{0,63}$/

/** The one stream of kind `server`: accounts, keys, runners, settings. */
export const serverStream = 'server:main'

/** The stream of what concerns one person alone: nobody else reads it. */
export function accountStream(account: string): string {
  return `account:${account}`
}

/** The kind and the id of a valid stream id. */
export function splitStream(stream: string): { kind: StreamKind; id: string } {
  const at = stream.indexOf(':')
  return { kind: stream.slice(0, at) as StreamKind, id: stream.slice(at + 1) }
}

/** The last event that a follower applied: the life of the stream (`epoch`) and the position in it. */
export interface Cursor {
  epoch: string
  seq: number
}

/** `<epoch>.<seq>`, as it travels. */
export function formatCursor(cursor: Cursor): string {
  return `${cursor.epoch}.${cursor.seq}`
}

/** Reads what `CursorText` accepts; `undefined` for anything else. */
export function parseCursor(text: string): Cursor | 'start' | 'now' | undefined {
  if (text === '0') return 'start'
  if (text === 'now') return 'now'
  const match = /^([a-z0-9]{8})\.(0|[1-9][0-9]{0,15})$/.exec(text)
  if (!match?.[1] || !match[2]) return undefined
  const seq = Number(match[2])
  return Number.isSafeInteger(seq) ? { epoch: match[1], seq } : undefined
}
