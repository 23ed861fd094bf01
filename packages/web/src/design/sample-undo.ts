import type { Item, UndoItem } from '@hotline/core/transcript/item'

/** An undo before and after it was done. */
export function sampleUndo(): readonly Item[] {
  const placed = (key: string): { key: string; seq: number; at: string } => ({
    key,
    seq: 95,
    at: new Date(Date.now() - 10_000).toISOString(),
  })
  const undo: Omit<UndoItem, 'key' | 'seq' | 'at'> = {
    kind: 'undo',
    undo: 'u1',
    by: { kind: 'person', id: 'me' },
    to: {},
    phase: 'planned',
    digest: 'a'.repeat(64),
    count: 3,
    asks: 1,
    files: [
      { path: 'src/auth/session.ts', change: 'restore' },
      { path: 'src/auth/new-helper.ts', change: 'remove' },
      { path: 'README.md', change: 'restore', ask: 'changed_since' },
    ],
    changes: [{ path: 'src/auth/session.ts', oldText: 'const next = query.next\n', newText: 'const next = "/"\n' }],
    cannot: [
      'what this did elsewhere (pushes, network, other folders): git push origin main',
      'commits, branches and all else inside of .git',
    ],
    leftOut: [{ path: 'node_modules', why: 'is made anew by the tools of the project' }],
    outcomes: [],
  }
  return [
    { ...placed('undo1'), ...undo },
    {
      ...placed('undo2'),
      ...undo,
      phase: 'done',
      before: 'c1',
      outcomes: [
        { path: 'src/auth/session.ts', outcome: 'restored' },
        { path: 'README.md', outcome: 'kept', why: 'somebody else has changed it since' },
      ],
    },
  ]
}
