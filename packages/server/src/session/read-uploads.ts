import type { Context } from '@hotline/core/decision'
import type { Command } from '@hotline/protocol/command'
import { splitStream } from '@hotline/protocol/stream'
import type { AttachmentRows } from '../log/attachment-rows.ts'
import { unsentMs } from './attachments.ts'

/** Files that these commands name, as far as they were uploaded to the session; nothing where no command names any. */
export async function readUploads(
  lists: Pick<AttachmentRows, 'attachments'>,
  stream: string,
  batch: readonly { command: Command }[],
  now: string,
): Promise<Pick<Context, 'uploads'>> {
  const digests = new Set(batch.flatMap(({ command }) => named(command)))
  if (digests.size === 0) return {}
  const rows = await lists.attachments(splitStream(stream).id, [...digests])
  const since = new Date(Date.parse(now) - unsentMs).toISOString()
  // One that was not sent for so long is about to be removed.
  const kept = rows.filter((row) => row.sent_at !== null || row.uploaded_at >= since)
  return {
    uploads: kept.map(({ digest, name, type, bytes, uploader }) => ({ digest, name, type, bytes, by: uploader })),
  }
}

function named(command: Command): readonly string[] {
  if (command.type === 'message.send') return command.data.attachments?.map(({ digest }) => digest) ?? []
  if (command.type !== 'agent.report') return []
  return command.data.events.flatMap(({ type, body }) => {
    const files: unknown = type === 'message.completed' || type === 'message.posted' ? body?.['attachments'] : undefined
    if (!Array.isArray(files)) return []
    return files.flatMap((file: unknown) => {
      const digest = typeof file === 'object' && file !== null && 'digest' in file ? file.digest : undefined
      return typeof digest === 'string' ? [digest] : []
    })
  })
}
