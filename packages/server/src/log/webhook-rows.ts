import type { Kysely } from 'kysely'
import type { Tables, WebhookCursorTable, WebhookLetterTable } from './tables.ts'

/** What is noted of webhooks. */
export interface WebhookRows {
  /** How far a webhook has got in each stream that it has begun with. */
  webhookCursors(webhook: string): Promise<readonly WebhookCursorTable[]>
  /** What a webhook gave up, so many at most. */
  webhookLetters(webhook: string, limit: number): Promise<readonly WebhookLetterTable[]>
}

/** The same over either database. */
export function webhookRows(db: Kysely<Tables>): WebhookRows {
  return {
    webhookCursors: (webhook) =>
      db
        .selectFrom('webhook_cursors')
        .select(['webhook', 'stream', 'seq', 'next_seq', 'tries', 'due_at', 'why'])
        .where('webhook', '=', webhook)
        .orderBy('stream')
        .execute(),
    webhookLetters: (webhook, limit) =>
      db
        .selectFrom('webhook_letters')
        .select(['webhook', 'stream', 'seq', 'tries', 'why'])
        .where('webhook', '=', webhook)
        .orderBy('stream')
        .orderBy('seq')
        .limit(limit)
        .execute(),
  }
}
