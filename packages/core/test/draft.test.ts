import { whyGuarded } from '@hotline/core/draft/guarded-path'
import { commentsMessage } from '@hotline/core/draft/line-comments'
import { oneLine } from '@hotline/core/one-line'
import { preparedLines, releasedLines, viewLines } from '@hotline/core/place-words'
import { emptyTranscript, foldTranscript } from '@hotline/core/transcript/transcript'
import { turnOf } from '@hotline/core/session/state'
import { asKnown } from '@hotline/protocol/known-event'
import { describe, expect, it } from 'vitest'
import { activeLog, dana, eli, type Log } from './fixtures.ts'

const digest = 'd'.repeat(64)
const plain = { turnsProgram: false, isLink: false }

function ready(log: Log): string {
  log.send(dana, 'draft.make', {})
  const draft = log.state?.draft?.draft ?? ''
  log.report({
    type: 'draft.ready',
    data: { draft, digest, files: 1, guarded: 0 },
    body: { files: [{ path: 'a', change: 'changed', digest }] },
  })
  return draft
}

describe('a review of changes', () => {
  it('[DR1] [DR2] goes from a look over a decision about exactly that to the deed, and is told on its way', () => {
    const log = activeLog()
    const draft = ready(log)
    expect(log.state?.draft).toEqual({ draft, phase: 'ready', digest, files: 1 })
    const wrong = log.send(dana, 'draft.review', { draft, digest: 'e'.repeat(64), keep: ['a'] })
    expect(!wrong.ok && wrong.problem.code).toBe('digest_mismatch')
    expect(log.send(eli, 'draft.review', { draft, digest, keep: ['a'], guarded: ['a'], reason: 'Good.' }).ok).toBe(true)
    expect(log.send(dana, 'draft.make', {}).ok).toBe(false)
    const decided = foldTranscript(emptyTranscript, log.events).items.find(({ kind }) => kind === 'draft')
    expect(decided).toMatchObject({ phase: 'reviewed', isDecided: true, reason: 'Good.' })
    log.report({
      type: 'draft.resolved',
      data: { draft, kept: 1, discarded: 0, open: 0 },
      body: { files: [{ path: 'a', outcome: 'kept' }] },
    })
    expect(log.state?.draft).toBeUndefined()
    const { items } = foldTranscript(emptyTranscript, log.events)
    expect(items.find(({ kind }) => kind === 'draft')).toMatchObject({ phase: 'done', by: eli, count: 1 })
    const lines = log.events.map((event) => {
      const known = asKnown(event)
      return known && oneLine(known)
    })
    expect(lines).toContain(`Draft ready: 1 changed file (${draft})`)
    expect(lines).toContain('Status: reviewed: 1 kept, 0 discarded, 0 open')
  })

  it('[DR8] names the branch that it goes into, and tells where it went', () => {
    const log = activeLog()
    const draft = ready(log)
    const commit = { message: 'Keep it', into: 'main' }
    expect(log.send(dana, 'draft.review', { draft, digest, keep: ['a'], commit }).ok).toBe(true)
    expect(log.events.at(-1)?.body).toMatchObject({ commit: 'Keep it', into: 'main' })
    const merged = { into: 'main', commit: 'c2' }
    log.report({
      type: 'draft.resolved',
      data: { draft, kept: 1, discarded: 0, open: 0, commit: 'c1' },
      body: { files: [], branch: 'hotline/x', merged },
    })
    const { items } = foldTranscript(emptyTranscript, log.events)
    expect(items.find(({ kind }) => kind === 'draft')).toMatchObject({ phase: 'done', commit: 'c1', merged })
    const last = log.events.map(asKnown).findLast((event) => event?.type === 'draft.resolved')
    expect(last && oneLine(last)).toBe('Status: reviewed: 1 kept, 0 discarded, 0 open, merged into main')
  })

  it('[DR4] is not begun under an agent that is at work, and a new look takes the place of another', () => {
    const log = activeLog()
    const first = ready(log)
    const second = ready(log)
    expect(log.types).toContain('draft.dropped')
    expect(log.send(dana, 'draft.review', { draft: first, digest, keep: ['a'] }).ok).toBe(false)
    log.report({ type: 'turn.started', data: { turn: 't1' } })
    const busy = log.send(dana, 'draft.review', { draft: second, digest, keep: ['a'] })
    expect(!busy.ok && busy.problem.detail).toContain('at work')
    log.report({ type: 'turn.ended', data: { turn: 't1', end: 'end' } })
    log.send(dana, 'draft.make', {})
    log.report({ type: 'draft.refused', data: { draft: log.state?.draft?.draft ?? '' }, body: { reason: 'nothing' } })
    expect(log.state?.draft).toBeUndefined()
    const { items } = foldTranscript(emptyTranscript, log.events)
    const phases = items.flatMap((item) => (item.kind === 'draft' ? [item.phase] : []))
    expect(phases).toEqual(['dropped', 'dropped', 'refused'])
    log.send(dana, 'session.abort', {})
    expect(log.send(dana, 'draft.make', {}).ok).toBe(false)
  })

  it('[DR6] is offered by its runner, in place of what nobody decided on and of nothing else', () => {
    const log = activeLog()
    const offer = (draft: string, turn?: string): void => {
      const data = { draft, digest, files: 2, guarded: 0, added: 3, removed: 1, changed: 2 }
      log.report({
        type: 'draft.ready',
        data: { ...data, ...(turn === undefined ? {} : { turn }) },
        body: { files: [] },
      })
    }
    offer('o1', 't1')
    offer('o1', 't1')
    offer('o2')
    expect(log.types.filter((type) => type.startsWith('draft.'))).toEqual([
      'draft.ready',
      'draft.dropped',
      'draft.ready',
    ])
    expect(log.state).toMatchObject({ draft: { draft: 'o2', phase: 'ready', files: 2 }, changed: 2 })
    const { items } = foldTranscript(emptyTranscript, log.events)
    const drafts = items.flatMap((item) => (item.kind === 'draft' ? [item] : []))
    expect(drafts).toMatchObject([
      { draft: 'o1', phase: 'dropped', turn: 't1' },
      { draft: 'o2', phase: 'ready', added: 3, removed: 1, count: 2 },
    ])
    log.send(dana, 'draft.make', {})
    offer('o3')
    expect(log.state?.draft?.phase).toBe('wanted')
    const draft = log.state?.draft?.draft ?? ''
    log.report({ type: 'draft.refused', data: { draft, changed: 0 }, body: { reason: 'nothing' } })
    expect(log.state).toMatchObject({ changed: 0 })
    log.report({ type: 'checkpoint.created', data: { checkpoint: 'k', moment: 'step_finished', files: 1, changed: 1 } })
    expect(log.state?.changed).toBeUndefined()
    log.send(dana, 'session.abort', {})
    log.report({ type: 'session.state_changed', data: { from: 'active', to: 'aborted', reason: 'requested' } })
    offer('o4')
    expect(log.state?.draft).toBeUndefined()
  })

  it('[MC7] is waited for by an agent at work: it needs somebody, and its end closes it', () => {
    const log = activeLog()
    log.report({ type: 'turn.started', data: { turn: 't1' } })
    const submit = (draft: string): void => {
      const data = { draft, digest, files: 1, guarded: 0, waits: true, turn: 't1' }
      log.report({ type: 'draft.ready', data, body: { files: [], note: 'Look.' } })
    }
    submit('s1')
    expect(log.state && turnOf(log.state)).toBe('waiting')
    expect(log.send(dana, 'draft.make', {}).ok).toBe(false)
    expect(log.send(dana, 'draft.review', { draft: 's1', digest, keep: ['a'] }).ok).toBe(true)
    const data = { draft: 's1', kept: 1, discarded: 0, open: 0, heard: true }
    log.report({ type: 'draft.resolved', data, body: { files: [{ path: 'a', outcome: 'kept' }] } })
    expect(log.state && turnOf(log.state)).toBe('running')
    submit('s2')
    log.report({ type: 'turn.ended', data: { turn: 't1', end: 'end' } })
    expect(log.types.slice(-2)).toEqual(['draft.dropped', 'turn.ended'])
    expect(log.state && turnOf(log.state)).toBe('idle')
    submit('s3')
    log.report({ type: 'session.state_changed', data: { from: 'active', to: 'interrupted', reason: 'agent_lost' } })
    expect(log.state?.draft).toBeUndefined()
    const lines = log.events.map((event) => {
      const known = asKnown(event)
      return known && oneLine(known)
    })
    expect(lines).toContain('Waiting for review: 1 changed file (s1) Look.')
  })

  it.each([
    '.gitmodules',
    'a/.gitattributes',
    '.husky/pre-push',
    '.pre-commit-config.yaml',
    '.github/workflows/ci.yml',
    '.gitlab-ci.yml',
    '.circleci/config.yml',
    '.claude/settings.json',
    '.MCP.json',
    'CLAUDE.md',
    'sub/AGENTS.md',
    '.envrc',
    '.vscode/tasks.json',
    'package.json',
    '.worktreeinclude',
  ])('[DR3] %s takes a decision of its own', (path) => expect(whyGuarded(path, plain)).toBeTypeOf('string'))

  it('[DR3] so does what can be run now, and a link; other files do not', () => {
    expect(whyGuarded('run', { ...plain, turnsProgram: true })).toContain('run as a program')
    expect(whyGuarded('way', { ...plain, isLink: true })).toContain('leads to')
    for (const path of ['src/a.ts', 'docs/claude.md.txt', 'my.gitmodules.md', 'packages/x/package.jsonl', 'claude/x']) {
      expect(whyGuarded(path, plain), path).toBeUndefined()
    }
  })
})

describe('comments on lines', () => {
  it('[DR5] go to the agent as one message, in the order of files and lines, each with its place and its line', () => {
    const of = { side: 'new', quote: '  return next', text: ' Why? ' } as const
    expect(commentsMessage([{ path: 'a.ts', line: 3, ...of }])).toBe(
      'A comment on your changes:\n\na.ts:3\n> return next\nWhy?',
    )
    const odd = { path: 'b\nc.ts', side: 'old', line: 9, quote: 'x'.repeat(300), text: 'Gone?' } as const
    const lines = commentsMessage([odd, { path: 'a.ts', line: 30, ...of, quote: '' }, { path: 'a.ts', line: 4, ...of }])
    expect(lines.split('\n\n')).toEqual([
      '3 comments on your changes:',
      'a.ts:4\n> return next\nWhy?',
      'a.ts:30\nWhy?',
      `"b\\nc.ts":9 (before your change)\n> ${'x'.repeat(119)}…\nGone?`,
    ])
  })
})

describe('the words about a place', () => {
  const view = {
    folder: '/p',
    standard: 'worktree' as const,
    possible: ['worktree' as const],
    repository: { root: '/p', branch: 'main' },
    uncommitted: { count: 4, names: ['a', 'b', 'c', 'd'] },
    ignored: { count: 1, names: ['x.log'] },
    nested: { count: 1, names: ['sub/'] },
    included: { count: 1, names: ['.env'] },
    others: ['Fix it'],
    setup: 'npm ci',
  }

  it('[IS2] [IS10] name what is missing, first names first, and who works there', () => {
    expect(viewLines(view, 'worktree', [])).toEqual([
      'It works in a worktree of its own, beside /p, as of the last commit of main.',
      'Not in it: 4 uncommitted files (a, b, c, …); 1 ignored file or folder (x.log); 1 repository inside of it (sub/).',
      'Brought along by .worktreeinclude: 1 ignored file (.env).',
      'Before it starts, this is run there: npm ci',
    ])
    expect(viewLines(view, 'worktree', ['uncommitted', 'ignored'])[1]).toBe(
      'Not in it: 1 repository inside of it (sub/).',
    )
    expect(viewLines(view, 'in_place', [])).toEqual([
      'It works in /p itself.',
      'Another session works in this very folder: "Fix it". They would change the same files.',
    ])
    expect(viewLines(view, 'copy', [])[0]).toBe('It works in a copy of /p, with all that is in it.')
    const why = { ...view, others: ['A', 'B'], whyNot: 'There is no git.' }
    expect(viewLines(why, 'in_place', []).slice(1)).toEqual([
      'There is no git.',
      'Other sessions work in this very folder: "A", "B". They would change the same files.',
    ])
  })

  it('[IS2] [IS5] are the same in the session, and survive that they were erased', () => {
    expect(preparedLines({ isolation: 'copy', brought: 2 }, { folder: '/c', from: '/p', note: 'Slow.' })).toEqual([
      'Works in a copy, /c, taken from /p.',
      'Brought along: 2 files.',
      'Slow.',
    ])
    expect(preparedLines({ isolation: 'in_place' }, undefined)).toEqual(['Works in (erased) itself.'])
    expect(preparedLines({ isolation: 'worktree', uncommitted: 1, brought: 1 }, undefined)).toEqual([
      'Works in a worktree of its own, (erased).',
      'Not in it: 1 uncommitted file.',
      'Brought along: 1 file.',
    ])
    expect(
      releasedLines({ outcome: 'kept', uncommitted: 1, commits: 2 }, { folder: '/w', branch: 'hotline/x' }),
    ).toEqual(['/w was kept, with 1 uncommitted file and 2 commits on the branch hotline/x that no other branch has.'])
    expect(releasedLines({ outcome: 'kept' }, { folder: '/w', note: 'Odd.' })).toEqual(['/w was kept.', 'Odd.'])
    expect(releasedLines({ outcome: 'removed' }, undefined)).toEqual(['(erased) was removed: nothing in it was new.'])
  })
})
