import { limits } from '@hotline/protocol/limits'
import { accountStream } from '@hotline/protocol/stream'
import type { Me } from '@hotline/protocol/http'
import type { UnreadPage } from '@hotline/protocol/unread'
import type { Server } from './ask-server.ts'

/** How many messages whoever asks has not read, by session. */
export async function readUnread(server: Server, sessions: readonly string[]): Promise<ReadonlyMap<string, number>> {
  const unread = new Map<string, number>()
  for (let at = 0; at < sessions.length; at += limits.unreadSessions) {
    const some = sessions.slice(at, at + limits.unreadSessions).join(',')
    const page = await server.get<UnreadPage>(`/api/unread?sessions=${some}`)
    for (const row of page.sessions) unread.set(row.session, row.unread)
  }
  return unread
}

/** Whoever asks has read a session up to this event of it. Throws a `Failure` where they are no person. */
export async function markRead(server: Server, session: string, seq: number): Promise<void> {
  const me = await server.get<Me>('/api/me')
  await server.command(accountStream(me.id), 'read.mark', { session, seq })
}

/** Whoever writes somewhere has read what stands there; a service reads nothing. */
export async function markWritten(server: Server, session: string, seq: number): Promise<void> {
  const me = await server.get<Me>('/api/me')
  if (me.kind === 'person') await server.command(accountStream(me.id), 'read.mark', { session, seq })
}
