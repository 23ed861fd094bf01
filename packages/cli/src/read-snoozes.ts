import { askKey } from '@hotline/core/account/ask-key'
import type { SnoozePage } from '@hotline/protocol/asks'
import type { Server } from './ask-server.ts'

/** Until when whoever asks has put things aside, RFC 3339, by `askKey`. */
export async function readSnoozes(server: Server): Promise<ReadonlyMap<string, string>> {
  const { snoozes } = await server.get<SnoozePage>('/api/snoozes')
  return new Map(snoozes.map(({ session, ask, until }) => [askKey(session, ask), until]))
}
