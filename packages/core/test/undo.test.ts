import { type FileState, type Holder, planUndo, type Stretch, undoDigest } from '@hotline/core/undo/plan-undo'
import { foldTranscript, emptyTranscript } from '@hotline/core/transcript/transcript'
import { oneLine } from '@hotline/core/one-line'
import { asKnown } from '@hotline/protocol/known-event'
import { randomSeed, seededRandom, type SeededRandom } from '@hotline/testing/seed'
import { describe, expect, it } from 'vitest'
import { activeLog, dana, eli, type Log, sha256 } from './fixtures.ts'

type Files = Map<string, FileState>

const names = ['a', 'b', 'c', 'd']

/** A history of a few files; `wrote` has, for each of them, who wrote each content first. */
function history(random: SeededRandom): { stretches: Stretch[]; states: Files[]; wrote: Map<string, Holder> } {
  const states: Files[] = [new Map(names.map((name) => [name, random.chance(0.6) ? `${name}0` : undefined]))]
  const wrote = new Map<string, Holder>()
  const stretches: Stretch[] = []
  for (let at = 0; at < random.int(1, 8); at += 1) {
    const by = random.pick<Holder>(['agent', 'other', 'agent', 'other', 'unsure', 'undo'])
    const before = states.at(-1) ?? new Map<string, FileState>()
    const after: Files = new Map(before)
    for (const name of names.filter(() => random.chance(0.4))) {
      const fresh = `${name}${at + 1}`
      const isBack = random.chance(0.2)
      const state = isBack ? states[0]?.get(name) : random.chance(0.2) ? undefined : fresh
      after.set(name, state)
      if (state === fresh) wrote.set(fresh, by)
    }
    const steps = names
      .map((path) => ({ path, before: before.get(path), after: after.get(path) }))
      .filter((step) => step.before !== step.after)
    stretches.push({ by, steps })
    states.push(after)
  }
  return { stretches, states, wrote }
}

describe('planning an undo', () => {
  it('[UN10] takes back what the agent changed and nothing that others wrote, in any history', () => {
    const random = seededRandom(randomSeed('undo plans'))
    for (let round = 0; round < 3_000; round += 1) {
      const { stretches, states, wrote } = history(random)
      const now = states.at(-1) ?? new Map<string, FileState>()
      const plan = planUndo(stretches)
      for (const { path, now: is, to, ask } of plan) {
        expect(is, 'what is there now').toBe(now.get(path))
        expect(to).not.toBe(is)
        if (ask !== undefined) continue
        // What goes without being asked about was written by the agent, or by an undo.
        if (is !== undefined && wrote.has(is)) expect(['agent', 'undo']).toContain(wrote.get(is))
        // Nothing that others wrote since lies between what comes back and what goes.
        const touched = stretches.filter(({ steps }) => steps.some((step) => step.path === path))
        const first = touched.findIndex(({ by }) => by !== 'other')
        expect(touched.slice(0, first).every(({ by }) => by === 'other')).toBe(true)
        const content = touched[first]?.steps.find((step) => step.path === path)?.before
        expect(to).toBe(content)
      }
      // A file that only others changed is never in it.
      for (const path of names) {
        const holders = stretches.filter(({ steps }) => steps.some((step) => step.path === path)).map(({ by }) => by)
        if (holders.every((by) => by === 'other')) expect(plan.some((file) => file.path === path)).toBe(false)
      }
      // Undone, and that undone: everything is as it was.
      const undone: Files = new Map(now)
      for (const file of plan) undone.set(file.path, file.to)
      const again = planUndo([
        { by: 'undo', steps: plan.map(({ path, now: before, to: after }) => ({ path, before, after })) },
      ])
      for (const file of again) undone.set(file.path, file.to)
      expect(undone).toEqual(now)
    }
  })

  it('[UN2] names why a file is asked about', () => {
    const step = (before: FileState, after: FileState): Stretch['steps'] => [{ path: 'a', before, after }]
    expect(planUndo([{ by: 'agent', steps: step('0', '1') }])).toEqual([{ path: 'a', now: '1', to: '0' }])
    expect(
      planUndo([
        { by: 'other', steps: step('0', '1') },
        { by: 'agent', steps: step('1', '2') },
      ]),
    ).toEqual([{ path: 'a', now: '2', to: '1' }])
    const asks = (stretches: Stretch[]): unknown => planUndo(stretches)[0]?.ask
    expect(
      asks([
        { by: 'agent', steps: step('0', '1') },
        { by: 'other', steps: step('1', '2') },
      ]),
    ).toBe('changed_since')
    expect(
      asks([
        { by: 'agent', steps: step('0', '1') },
        { by: 'other', steps: step('1', '2') },
        { by: 'agent', steps: step('2', '3') },
      ]),
    ).toBe('mixed')
    expect(asks([{ by: 'unsure', steps: step('0', '1') }])).toBe('unsure')
  })
})

const digest = 'd'.repeat(64)
const asked = (log: Log): string => log.state?.undo?.undo ?? ''
const planned = (log: Log, of = digest): void => {
  const data = { undo: asked(log), digest: of, files: 2, asks: 1 }
  log.report({
    type: 'undo.planned',
    data,
    body: {
      files: [
        { path: 'a', change: 'restore' },
        { path: 'b', change: 'remove', ask: 'unsure' },
      ],
    },
  })
}

describe('an undo', () => {
  it('[UN1] goes from a wish over a preview to the deed, and is told on its way', () => {
    const log = activeLog()
    log.report({
      type: 'checkpoint.created',
      data: { checkpoint: 'k1', moment: 'turn_ended', turn: 't1', files: 2, changed: 2 },
      body: { changed: ['a', 'b'] },
    })
    log.report({ type: 'checkpoint.skipped', data: { moment: 'turn_ended', why: 'files' }, body: { note: 'too many' } })
    expect(log.state?.checkpoints).toBe(1)
    expect(log.send(dana, 'undo.plan', { turn: 't1' }).ok).toBe(true)
    expect(log.state?.undo).toMatchObject({ phase: 'wanted', to: { turn: 't1' } })
    const undo = asked(log)
    const early = log.send(dana, 'undo.apply', { undo, digest })
    expect(early.ok).toBe(false)
    planned(log)
    expect(log.state?.undo).toMatchObject({ phase: 'planned', digest })
    const wrong = log.send(dana, 'undo.apply', { undo, digest: 'e'.repeat(64) })
    expect(!wrong.ok && wrong.problem.code).toBe('digest_mismatch')
    expect(log.send(eli, 'undo.apply', { undo, digest, also: ['b'], except: [] }).ok).toBe(true)
    expect(log.state?.undo?.phase).toBe('approved')
    for (const type of ['undo.plan', 'undo.drop'] as const) {
      expect(log.send(dana, type, (type === 'undo.plan' ? {} : { undo }) as never).ok).toBe(false)
    }
    log.report({
      type: 'checkpoint.restored',
      data: { undo, before: 'k1', restored: 1, kept: 1 },
      body: { files: [{ path: 'a', outcome: 'restored' }] },
    })
    expect(log.state?.undo).toBeUndefined()
    const { items } = foldTranscript(emptyTranscript, log.events)
    expect(items.find(({ kind }) => kind === 'undo')).toMatchObject({ phase: 'done', by: eli, count: 2, before: 'k1' })
    expect(items.find(({ kind }) => kind === 'checkpoint')).toMatchObject({ turn: 't1', changed: 2 })
    expect(items.find(({ kind }) => kind === 'skipped')).toMatchObject({ note: 'too many' })
    const lines = log.events.map((event) => {
      const known = asKnown(event)
      return known && oneLine(known)
    })
    expect(lines).toContain('Status: undo planned: 2 files')
    expect(lines).toContain('Status: undone: 1 file put back, 1 kept as they are')
    expect(lines).toContain('Status: no snapshot of the files - too many')
  })

  it('[UN5] is not done under an agent that is at work, and one wish takes the place of another', () => {
    const log = activeLog()
    log.send(dana, 'undo.plan', {})
    planned(log)
    const first = asked(log)
    log.report({ type: 'turn.started', data: { turn: 't1' } })
    const busy = log.send(dana, 'undo.apply', { undo: first, digest })
    expect(!busy.ok && busy.problem.detail).toContain('at work')
    log.send(dana, 'undo.plan', { checkpoint: 'k1' })
    expect(asked(log)).not.toBe(first)
    expect(log.types.slice(-2)).toEqual(['undo.dropped', 'undo.requested'])
    expect(log.send(dana, 'undo.apply', { undo: first, digest }).ok).toBe(false)
    log.report({ type: 'undo.refused', data: { undo: asked(log) }, body: { reason: 'no snapshot' } })
    expect(log.state?.undo).toBeUndefined()
    log.send(dana, 'undo.plan', {})
    expect(log.send(dana, 'undo.drop', { undo: asked(log) }).ok).toBe(true)
    expect(log.send(dana, 'undo.drop', { undo: first }).ok).toBe(false)
    const { items } = foldTranscript(emptyTranscript, log.events)
    expect(items.flatMap((item) => (item.kind === 'undo' ? [item.phase] : []))).toEqual([
      'dropped',
      'refused',
      'dropped',
    ])
    expect(undoDigest('k1', [{ path: 'a', now: '1', to: undefined }], sha256)).toMatch(/^[0-9a-f]{64}$/)
  })
})
