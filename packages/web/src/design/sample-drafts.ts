import type { DraftItem, Item } from '@hotline/core/transcript/item'

/** Changes that are up for review, once because the agent waits for it; and what became of others. */
export function sampleDrafts(): { lines: readonly Item[]; ready: DraftItem } {
  const placed = (key: string): { key: string; seq: number; at: string } => ({
    key,
    seq: 96,
    at: new Date(Date.now() - 20_000).toISOString(),
  })
  const by = { kind: 'agent', id: 'demo' } as const
  const digest = 'b'.repeat(64)
  const ready: DraftItem = {
    ...placed('draft1'),
    kind: 'draft',
    draft: 'd1',
    by,
    phase: 'ready',
    digest,
    count: 3,
    added: 14,
    removed: 3,
    files: [
      { path: 'src/auth/session.ts', change: 'changed', digest, added: 1, removed: 1 },
      { path: '.github/workflows/ci.yml', change: 'added', digest, guarded: 'is run where the project is built' },
      { path: 'assets/logo.png', change: 'changed', digest, ask: 'changed_since' },
    ],
    changes: [
      {
        path: 'src/auth/session.ts',
        oldText: 'export function next(): string {\n  return "/"\n}\n',
        newText: 'export function next(): string {\n  return query.next ?? "/"\n}\n',
      },
      { path: '.github/workflows/ci.yml', oldText: null, newText: 'on: push\n' },
    ],
    outcomes: [],
  }
  const waits: DraftItem = {
    ...ready,
    ...placed('draft2'),
    draft: 'd2',
    branch: 'hotline/keep-the-query-1f2e3d4c',
    waits: true,
    note: 'The redirect keeps its query now.',
  }
  const outcomes = [
    { path: 'src/auth/session.ts', outcome: 'kept' as const },
    { path: 'assets/logo.png', outcome: 'discarded' as const },
  ]
  const done: DraftItem = { ...ready, ...placed('draft3'), draft: 'd3', phase: 'done', outcomes }
  return { lines: [waits, ready, done], ready: waits }
}
