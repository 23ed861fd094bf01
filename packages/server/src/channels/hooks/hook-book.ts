import { serverStream } from '@hotline/protocol/stream'
import type { Lists } from '../../log/lists.ts'
import type { LogStore } from '../../log/log-store.ts'
import type { RowChange, WebhookCursorTable, WebhookLetterTable } from '../../log/tables.ts'

/** How far each webhook has got, durably. */
export class HookBook {
  readonly #store: Pick<LogStore, 'append'>
  readonly #lists: Pick<Lists, 'webhookCursors' | 'webhookLetters'>

  constructor({
    store,
    lists,
  }: {
    store: Pick<LogStore, 'append'>
    lists: Pick<Lists, 'webhookCursors' | 'webhookLetters'>
  }) {
    this.#store = store
    this.#lists = lists
  }

  cursors(webhook: string): Promise<readonly WebhookCursorTable[]> {
    return this.#lists.webhookCursors(webhook)
  }

  letters(webhook: string, limit: number): Promise<readonly WebhookLetterTable[]> {
    return this.#lists.webhookLetters(webhook, limit)
  }

  put(cursor: WebhookCursorTable): Promise<void> {
    return this.#write([{ table: 'webhook_cursors', put: cursor }])
  }

  /** The stream goes on, and what was given up is noted, in one. */
  giveUp(cursor: WebhookCursorTable, letter: WebhookLetterTable): Promise<void> {
    return this.#write([
      { table: 'webhook_cursors', put: cursor },
      { table: 'webhook_letters', put: letter },
    ])
  }

  drop({ webhook, stream, seq }: Pick<WebhookLetterTable, 'webhook' | 'stream' | 'seq'>): Promise<void> {
    return this.#write([{ table: 'webhook_letters', drop: { webhook, stream, seq } }])
  }

  /** Nothing is kept of a webhook that is not there any more. */
  forget(webhook: string): Promise<void> {
    return this.#write([
      { table: 'webhook_cursors', drop: { webhook } },
      { table: 'webhook_letters', drop: { webhook } },
    ])
  }

  async #write(rows: readonly RowChange[]): Promise<void> {
    const result = await this.#store.append([{ stream: serverStream, expect: 'any', events: [], rows }])
    if (!result.ok) throw new Error(`the book of webhooks cannot be written: ${result.reason}`)
  }
}
