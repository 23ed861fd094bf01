import { auditGroupOf } from '@hotline/protocol/audit'
import type { Append } from './log-store.ts'
import { storableText } from './row-statements.ts'
import type { RowChange } from './tables.ts'

/** The lines of the index of the audit for what is appended after this position. */
export function auditRows({ stream, project, events }: Append, after: number): readonly RowChange[] {
  return events.flatMap(({ type, at, actor, address }, index): RowChange[] => {
    if (auditGroupOf(type) === undefined) return []
    const row = { stream, seq: after + index + 1, at, type, actor: storableText(actor.id) }
    return [{ table: 'audit', put: { ...row, project: project ?? null, address: address ?? null } }]
  })
}
