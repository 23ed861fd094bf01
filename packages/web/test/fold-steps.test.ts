import type { ApprovalItem, Item, StepItem } from '@hotline/core/transcript/item'
import { describe, expect, it } from 'vitest'
import { countNew } from '../src/session/use-unread.ts'
import { foldSteps, groupText, type Row, type StepGroup, stepsAsked } from '../src/session/fold-steps.ts'

let at = 0
function step(more: Partial<StepItem> = {}): StepItem {
  at += 1
  return {
    kind: 'step',
    key: `step:${at}`,
    seq: at,
    at: '2026-01-01T00:00:00.000Z',
    step: String(at),
    stepKind: 'read',
    title: `Read ${at}`,
    changes: [],
    locations: [`src/${at}.ts`],
    outcome: 'done',
    ...more,
  }
}
const said = (): Item => ({ kind: 'notice', key: `notice:${(at += 1)}`, seq: at, at: '', code: 'x', text: 'x' })
const ask = (of: string): ApprovalItem => ({
  kind: 'approval',
  key: `approval:${(at += 1)}`,
  seq: at,
  at: '',
  approval: String(at),
  step: of,
  digest: '',
  verdicts: ['allow', 'deny'],
  scopes: ['once'],
  strength: 'advisory',
  expiresAt: '',
})
const sizes = (rows: readonly Row[]): number[] => rows.map((row) => (row.kind === 'steps' ? row.steps.length : 1))
const group = (rows: readonly Row[]): StepGroup => rows.find((row) => row.kind === 'steps') as StepGroup

describe('rows of a conversation', () => {
  it('[G10] ten reads in a row are one line that says so', () => {
    const rows = foldSteps(Array.from({ length: 10 }, () => step()))
    expect(sizes(rows)).toEqual([10])
    expect(groupText(group(rows))).toBe('read 10 files')
  })

  it('[G10] the same file read again is not another file', () => {
    const rows = foldSteps([1, 2, 3].map(() => step({ locations: ['a.ts'] })))
    expect(groupText(group(rows))).toBe('read 1 file')
  })

  it('[G10] two stay two; something in between, and another kind, part them', () => {
    expect(sizes(foldSteps([step(), step()]))).toEqual([1, 1])
    expect(sizes(foldSteps([step(), step(), said(), step(), step()]))).toEqual([1, 1, 1, 1, 1])
    const other = (): StepItem => step({ stepKind: 'search' })
    expect(sizes(foldSteps([step(), step(), step(), other(), other(), other()]))).toEqual([3, 3])
  })

  it.each(['failed', 'denied', 'cancelled', undefined] as const)(
    '[G10] a step that is %s stands by itself',
    (outcome) => {
      expect(sizes(foldSteps([step(), step(), step(), step({ outcome }), step()]))).toEqual([3, 1, 1])
    },
  )

  it('[G10] what changed files is never folded away', () => {
    const change = { path: 'a.ts', newText: 'x' }
    expect(sizes(foldSteps([1, 2, 3].map(() => step({ changes: [change] }))))).toEqual([1, 1, 1])
  })

  it('[G10] a group keeps its key while it grows, so that what is open stays open', () => {
    const items = [step(), step(), step()]
    expect(group(foldSteps(items)).key).toBe(group(foldSteps([...items, step()])).key)
  })

  it('[G32] the end of a turn counts the files of its own steps, each once, and none where its beginning is not loaded', () => {
    const change = (path: string): StepItem => step({ changes: [{ path, newText: 'x' }] })
    const turn = (startedAt?: string): Item => ({
      kind: 'turn',
      key: `turn:${(at += 1)}`,
      seq: at,
      at: '',
      turn: String(at),
      end: 'end',
      startedAt,
    })
    const rows = foldSteps([
      change('a.ts'),
      turn(),
      change('a.ts'),
      change('b.ts'),
      change('a.ts'),
      step({ outcome: 'failed', changes: [{ path: 'c.ts', newText: 'x' }] }),
      turn('2026-01-01T00:00:00.000Z'),
      turn('2026-01-01T00:00:01.000Z'),
    ])
    expect(rows.flatMap((row) => (row.kind === 'turn' ? [row.files] : []))).toEqual([0, 2, 0])
  })
})

describe('what came while somebody was further up', () => {
  it('[G63] is counted by row, and what is older and came in front is not', () => {
    const before = [step({ outcome: 'failed' }), said()]
    const seen = before.at(-1)?.seq ?? 0
    const rows = foldSteps([...before, said(), step(), step(), step(), said()])
    expect(countNew(rows, seen)).toBe(3)
    const older = { ...said(), seq: 0 }
    expect(countNew([...foldSteps([older]), ...rows], seen)).toBe(3)
    expect(countNew(rows, at)).toBe(0)
  })

  it('[G62] what a sub-agent does stands inside of the step for which it was done', () => {
    const outer = step({ step: 'outer', outcome: undefined })
    const inner = step({ step: 'inner', parent: 'outer' })
    const deep = step({ parent: 'inner' })
    const rows = foldSteps([outer, said(), inner, deep, step({ parent: 'not here' })])
    expect(rows.map(({ kind }) => kind)).toEqual(['nest', 'notice', 'step'])
    expect(rows[0]).toMatchObject({ step: { step: 'outer' }, rows: [{ kind: 'nest', rows: [{ kind: 'step' }] }] })
  })

  it('[G30] a step that was asked for is one line with its answer, in the place of what was asked last', () => {
    const [first, second] = [step({ step: 'a' }), step({ step: 'b' })]
    const [once, again, other] = [ask('a'), ask('a'), ask('b')]
    const items = [first, second, once, said(), other, again]
    expect(foldSteps(items).map(({ key }) => key)).toEqual([once.key, items[3]?.key, other.key, again.key])
    expect(Object.fromEntries(stepsAsked(items))).toEqual({ [again.key]: first, [other.key]: second })
    // What it changed counts all the same.
    const changes = [{ path: 'a.ts', newText: 'x' }]
    const turn: Item = { kind: 'turn', key: 't', seq: 99, at: '', turn: 't', startedAt: '', end: 'end' }
    expect(foldSteps([step({ step: 'a', changes }), once, turn]).at(-1)).toMatchObject({ files: 1 })
  })

  it('[G30] one for which a sub-agent works, and those of a sub-agent, stay beside their answers', () => {
    const [outer, inner, deeper] = [
      step({ step: 'a' }),
      step({ step: 'b', parent: 'a' }),
      step({ step: 'c', parent: 'b' }),
    ]
    const items = [outer, ask('a'), inner, ask('b'), deeper, ask('c')]
    expect(foldSteps(items).map(({ kind }) => kind)).toEqual(['nest', 'approval', 'approval', 'approval'])
    expect(stepsAsked(items).size).toBe(0)
  })

  it('[G37] what waited stands where the agent took it, and one that it took at once where it was written', () => {
    const message = (seq: number, takenSeq?: number): Item => ({
      kind: 'message',
      key: `message:${seq}`,
      seq,
      at: '',
      message: String(seq),
      role: 'person',
      by: { kind: 'person', id: 'dana' },
      text: '',
      streaming: false,
      erased: false,
      takenSeq,
    })
    const step4 = step({ seq: 4, stepKind: 'edit' })
    const step9 = step({ seq: 9, stepKind: 'read' })
    const items = [message(1, 2), message(3, 8), step4, message(5, 7), message(6), step9]
    const rows = foldSteps(items)
    expect(rows.map(({ key }) => key)).toEqual([
      'message:1',
      step4.key,
      'message:6',
      'message:5',
      'message:3',
      step9.key,
    ])
    // In the order of where they stand, so that what is new is counted right.
    expect(countNew(rows, 7)).toBe(2)
  })
})
