import { z } from 'zod'
import { Digest } from './events/approval.ts'

/** Types of content that files are kept as; what is none of these is `application/octet-stream`. None of them runs in a browser. */
export const safeTypes = [
  'text/plain',
  'text/markdown',
  'text/csv',
  'application/json',
  'application/pdf',
  'image/png',
  'image/jpeg',
  'image/gif',
  'image/webp',
  'application/zip',
  'application/octet-stream',
] as const

/**
 * No path, no name of a folder, no blank alone; no control characters, none that turn the direction, and none that nobody sees but
 * those that some scripts and signs are written with.
 */
const plainName =
  /^(?!\.{1,2}$)(?! *$)[^\u034f/\\\u0000-\u001f\u007f-\u009f\u00ad\u061c\u115f\u1160\u17b4\u17b5\u180e\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\u3164\ufeff\uffa0\ufff9-\ufffb\ud800-\udfff\u{e0000}-\u{e0fff}]{1,200}$/u

/** What an uploaded file may be called. */
export const AttachmentName = z
  .string()
  .max(200)
  .regex(plainName, 'must be a name of 1 to 200 characters without "/", "\\", and what cannot be seen')

/** A file that belongs to a message: its bytes lie beside the log, under their SHA-256. */
export const Attachment = z.looseObject({
  digest: Digest,
  name: z.string(),
  /** As the server found it (`safeTypes`). */
  type: z.string(),
  bytes: z.int().min(0),
})
export type Attachment = z.infer<typeof Attachment>

/** A file that whoever names it has uploaded to the session. */
export const NamedAttachment = z.strictObject({ digest: Digest, name: AttachmentName })
export type NamedAttachment = z.infer<typeof NamedAttachment>

/** `POST /api/sessions/:id/attachments`: what was kept. */
export const UploadedAttachment = z.object({
  digest: Digest,
  name: z.string(),
  type: z.enum(safeTypes),
  bytes: z.int().min(1),
})
export type UploadedAttachment = z.infer<typeof UploadedAttachment>
