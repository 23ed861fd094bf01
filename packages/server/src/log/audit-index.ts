/** What the audit listed when its index came. As part of a migration this is never edited. */
const firstTypes: readonly string[] = [
  'approval.requested',
  'approval.resolved',
  'approval.extended',
  'approval.timed_out',
  'approval.cancelled',
  'approval.dispatched',
  'approval.dispatch_refused',
  'approval.dispatch_unknown',
  'question.asked',
  'question.answered',
  'question.withdrawn',
  'draft.reviewed',
  'draft.resolved',
  'draft.dropped',
  'goal.completed',
  'session.created',
  'session.state_changed',
  'session.taken_over',
  'control.requested',
  'control.escalated',
  'control.done',
  'control.failed',
  'budget.changed',
  'budget.exhausted',
  'undo.approved',
  'undo.dropped',
  'checkpoint.restored',
  'terminal.taken',
  'content.erased',
  'policy.rule_set',
  'policy.rule_revoked',
  'policy.mode_set',
  'policy.mode_ended',
  'folder.trusted',
  'folder.distrusted',
  'project.created',
  'project.renamed',
  'project.sessions_limited',
  'member.added',
  'member.changed',
  'member.removed',
  'account.created',
  'account.disabled',
  'account.enabled',
  'account.password_changed',
  'account.signed_out',
  'account.signed_in',
  'account.locked',
  'key.created',
  'key.revoked',
  'runner.enrolled',
]

/** What it lists since then, and its index did not: a refusal where too many wait, and how long people have. Never edited either. */
export const typesForgottenAtFirst: readonly string[] = ['approval.refused', 'policy.timeout_set']

/** The index of the audit, for both databases, as `firstLists` has the others. */
export function auditTable(text: string, long: string, end: string): readonly string[] {
  return [
    `CREATE TABLE audit (
      stream ${text} NOT NULL,
      seq ${long} NOT NULL,
      at ${text} NOT NULL,
      type ${text} NOT NULL,
      actor ${text} NOT NULL,
      project ${text},
      address ${text},
      PRIMARY KEY (at, stream, seq)
    )${end}`,
  ]
}

/**
 * Made after the table is filled. There are no more than this one, because each costs every decision one more page to write:
 * whoever asks for one person or one session reads on in the order of time.
 */
export const auditOrders: readonly string[] = [`CREATE INDEX audit_by_project ON audit (project, at, stream, seq)`]

/**
 * Fills it from the events that are there, of types that it did not list until now. `at` and `actor` are expressions that read
 * the header of an event `e`; where they came from was not kept then.
 */
export function auditOfOlderEvents(
  { at, actor }: { at: string; actor: string },
  types: readonly string[] = firstTypes,
): string {
  const list = types.map((type) => `'${type}'`).join(', ')
  return `INSERT INTO audit (stream, seq, at, type, actor, project)
    SELECT s.stream, e.seq, ${at}, e.type, coalesce(${actor}, ''),
      CASE WHEN s.stream LIKE 'project:%' THEN substr(s.stream, 9) ELSE coalesce(l.project, t.project) END
    FROM events e JOIN streams s ON s.no = e.no
    LEFT JOIN sessions l ON s.stream LIKE 'session:%' AND l.session = substr(s.stream, 9)
    LEFT JOIN tasks t ON s.stream LIKE 'task:%' AND t.task = substr(s.stream, 6)
    WHERE e.type IN (${list})`
}
