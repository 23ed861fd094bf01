import type { Kysely } from 'kysely'
import type { AttachmentTable, Tables } from './tables.ts'

/** The table of files that were uploaded, for both databases; `text` and `end` as in `firstLists`. */
export function attachmentTable(text: string, end: string): readonly string[] {
  return [
    `CREATE TABLE attachments (
      session ${text} NOT NULL,
      digest ${text} NOT NULL,
      name ${text} NOT NULL,
      uploader ${text} NOT NULL,
      project ${text} NOT NULL,
      type ${text} NOT NULL,
      bytes INTEGER NOT NULL,
      uploaded_at ${text} NOT NULL,
      sent_at ${text},
      PRIMARY KEY (session, digest, name, uploader)
    )${end}`,
    `CREATE INDEX attachments_by_digest ON attachments (project, digest)`,
    `CREATE INDEX attachments_unsent ON attachments (uploaded_at) WHERE sent_at IS NULL`,
  ]
}

/** What is noted of uploaded files. */
export interface AttachmentRows {
  /** Files of a session, the oldest first: those with these digests, or all. */
  attachments(session: string, digests: readonly string[] | 'all'): Promise<readonly AttachmentTable[]>
  /** Whether any session of the project has a file with this digest. */
  isAttached(project: string, digest: string): Promise<boolean>
  /** How many files of a session this sender has uploaded and not sent. */
  unsentCount(session: string, uploader: string): Promise<number>
  /** Files that were uploaded before this time and never sent, so many at most. */
  unsentBefore(at: string, limit: number): Promise<readonly AttachmentTable[]>
}

const columns = [
  'session',
  'digest',
  'name',
  'uploader',
  'project',
  'type',
  'bytes',
  'uploaded_at',
  'sent_at',
] as const satisfies readonly (keyof AttachmentTable)[]

/** The same over either database. */
export function attachmentRows(db: Kysely<Tables>): AttachmentRows {
  const rows = db.selectFrom('attachments').select(columns)
  return {
    attachments: async (session, digests) => {
      if (digests.length === 0) return []
      const all = rows.where('session', '=', session)
      const wanted = digests === 'all' ? all : all.where('digest', 'in', [...digests])
      return wanted.orderBy('uploaded_at').orderBy('digest').orderBy('name').execute()
    },
    isAttached: async (project, digest) => {
      const found = await db
        .selectFrom('attachments')
        .select('session')
        .where('project', '=', project)
        .where('digest', '=', digest)
        .limit(1)
        .executeTakeFirst()
      return found !== undefined
    },
    unsentCount: async (session, uploader) => {
      const counted = await db
        .selectFrom('attachments')
        .select(({ fn }) => fn.countAll().as('count'))
        .where('session', '=', session)
        .where('uploader', '=', uploader)
        .where('sent_at', 'is', null)
        .executeTakeFirst()
      return Number(counted?.count ?? 0)
    },
    unsentBefore: (at, limit) => {
      const unsent = rows.where('sent_at', 'is', null).where('uploaded_at', '<', at)
      return unsent.orderBy('uploaded_at').limit(limit).execute()
    },
  }
}
