import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type Step, scriptPrompt } from '@hotline/demo-agent/script'
import type { SessionState } from '@hotline/core/session/state'
import { expect, test } from 'vitest'
import { type Bench, openBench } from './bench.ts'

const write = (path: string, content: string): Step => ({ do: 'write', path, content })

/** Asks for a preview and waits for it. */
async function plan({ world }: Bench, session: string, to: Record<string, string> = {}) {
  const undo = world.send(session, 'undo.plan', to)
  await world.until(session, 'a plan', (state) => state.undo?.undo === undo && state.undo.phase === 'planned')
  const found = world.events(session, 'undo.planned').at(-1)
  if (!found) throw new Error('no plan')
  return { undo, digest: found.data.digest, files: found.body?.files ?? [], body: found.body }
}

async function apply(
  { world }: Bench,
  session: string,
  { undo, digest }: { undo: string; digest: string },
  more: { also?: string[]; except?: string[] } = {},
) {
  world.send(session, 'undo.apply', { undo, digest, ...more })
  await world.until(session, 'it to be done', (state) => state.undo === undefined)
  return world.events(session, 'checkpoint.restored').at(-1)
}

const idle = (turns: number) => (state: SessionState) =>
  state.counts.turns === turns && !state.turn && state.checkpoints

test('[UN1] a turn that changed files is undone after a preview, the agent hears of it, and that is undone as well', async () => {
  await using bench = await openBench({ keepsFiles: true })
  const { world, cwd } = bench
  writeFileSync(join(cwd, 'mine.txt'), 'mine\n')
  writeFileSync(join(cwd, 'a.txt'), 'before\n')
  const session = world.start('demo', {
    cwd,
    mode: 'auto-edit',
    prompt: scriptPrompt([write('a.txt', 'after\n'), write('new/b.txt', 'b')]),
  })
  await world.until(session, 'the turn', idle(1))
  const shown = await plan(bench, session)
  expect(shown.files.map(({ path, change, ask }) => [path, change, ask])).toEqual([
    ['a.txt', 'restore', undefined],
    ['new/b.txt', 'remove', undefined],
  ])
  expect(shown.body?.changes?.[0]).toMatchObject({ path: 'a.txt', oldText: 'after\n', newText: 'before\n' })
  const done = await apply(bench, session, shown)
  expect(done?.data).toMatchObject({ restored: 2, kept: 0 })
  expect(readFileSync(join(cwd, 'a.txt'), 'utf8')).toBe('before\n')
  expect(existsSync(join(cwd, 'new'))).toBe(false)
  expect(readFileSync(join(cwd, 'mine.txt'), 'utf8')).toBe('mine\n')

  world.send(session, 'message.send', { text: scriptPrompt([{ do: 'say', text: 'heard' }]) })
  await world.until(session, 'the second turn', ({ counts, turn }) => counts.turns === 2 && !turn)
  expect(world.printed(session, 'log')).toContain('undone your changes to these files: "a.txt", "new/b.txt"')

  const again = await plan(bench, session, { checkpoint: done?.data.before ?? '' })
  await apply(bench, session, again)
  expect(readFileSync(join(cwd, 'a.txt'), 'utf8')).toBe('after\n')
  expect(readFileSync(join(cwd, 'new/b.txt'), 'utf8')).toBe('b')
})

test('[UN2] a file that somebody else has changed since is kept unless it is chosen by its name', async () => {
  await using bench = await openBench({ keepsFiles: true })
  const { world, cwd } = bench
  for (const name of ['a.txt', 'b.txt', 'c.txt']) writeFileSync(join(cwd, name), 'before\n')
  const session = world.start('demo', {
    cwd,
    mode: 'auto-edit',
    prompt: scriptPrompt(['a.txt', 'b.txt', 'c.txt'].map((name) => write(name, 'agent\n'))),
  })
  await world.until(session, 'the turn', idle(1))
  // The snapshot after the turn is taken once a plan is there: what is written from now on is no agent's.
  await plan(bench, session)
  writeFileSync(join(cwd, 'b.txt'), 'agent\nand a person\n')
  writeFileSync(join(cwd, 'c.txt'), 'agent\nand a person\n')
  const shown = await plan(bench, session)
  expect(shown.files.map(({ path, ask }) => [path, ask])).toEqual([
    ['a.txt', undefined],
    ['b.txt', 'changed_since'],
    ['c.txt', 'changed_since'],
  ])
  // One that changes after the preview: nothing is done at all.
  writeFileSync(join(cwd, 'a.txt'), 'a person as well\n')
  await apply(bench, session, shown)
  expect(world.events(session, 'undo.refused').at(-1)?.body?.reason).toContain('not as they were shown')
  writeFileSync(join(cwd, 'a.txt'), 'agent\n')

  const done = await apply(bench, session, await plan(bench, session), { also: ['c.txt'] })
  expect(done?.body?.files.map(({ path, outcome }) => [path, outcome])).toEqual([
    ['a.txt', 'restored'],
    ['b.txt', 'kept'],
    ['c.txt', 'restored'],
  ])
  expect(readFileSync(join(cwd, 'b.txt'), 'utf8')).toBe('agent\nand a person\n')
  expect(readFileSync(join(cwd, 'c.txt'), 'utf8')).toBe('before\n')
})

test('[UN3] a session that is over is undone by the machine that had it, also in a later life', async () => {
  await using bench = await openBench({ keepsFiles: true })
  const { world, cwd } = bench
  writeFileSync(join(cwd, 'a.txt'), 'before\n')
  const session = world.start('demo', { cwd, mode: 'auto-edit', prompt: scriptPrompt([write('a.txt', 'after\n')]) })
  await world.until(session, 'the turn', idle(1))
  world.send(session, 'session.abort', {})
  await world.until(session, 'the end', ({ status }) => status === 'aborted')
  world.send(session, 'undo.plan', {})
  world.hint()
  await world.until(session, 'a plan', ({ undo }) => undo?.phase === 'planned')
  const { digest, undo } = world.state(session).undo ?? {}
  if (digest === undefined || undo === undefined) throw new Error('no digest')
  world.send(session, 'undo.apply', { undo, digest })
  world.hint()
  await world.until(session, 'it to be done', (state) => state.undo === undefined)
  expect(readFileSync(join(cwd, 'a.txt'), 'utf8')).toBe('before\n')
})

test('[UN4] where nothing of the files changes nothing is said, and back to a step or a turn takes what came after', async () => {
  await using bench = await openBench({ keepsFiles: true })
  const { world, cwd } = bench
  writeFileSync(join(cwd, 'a.txt'), '0')
  const session = world.start('demo', { cwd, mode: 'auto-edit', prompt: scriptPrompt([{ do: 'say', text: 'hello' }]) })
  await world.until(session, 'the first turn', ({ counts, turn }) => counts.turns === 1 && !turn)
  world.send(session, 'message.send', { text: scriptPrompt([write('a.txt', '1'), write('b.txt', '1')]) })
  await world.until(session, 'the second turn', idle(2))
  expect(world.types(session).filter((type) => type.startsWith('checkpoint.')).length).toBeGreaterThan(0)
  const firstTurnEnd = world.types(session).indexOf('turn.ended')
  expect(
    world
      .types(session)
      .slice(0, firstTurnEnd)
      .filter((type) => type.startsWith('checkpoint.')),
  ).toEqual([])
  const [turn] = world.events(session, 'turn.started').slice(-1)
  const shown = await plan(bench, session, { turn: turn?.data.turn ?? '' })
  expect(shown.files.map(({ path }) => path)).toEqual(['a.txt', 'b.txt'])
  const [, last] = world.events(session, 'step.started')
  const after = await plan(bench, session, { step: last?.data.step ?? '' })
  expect(after.files.map(({ path }) => path)).toContain('b.txt')
})

test('[UN11] two sessions in one folder: the second one says so, and what both may have written is not sure', async () => {
  await using bench = await openBench({ keepsFiles: true })
  const { world, cwd } = bench
  writeFileSync(join(cwd, 'a.txt'), 'before\n')
  const waits = scriptPrompt([{ do: 'waitFile', path: 'go' }])
  const first = world.start('demo', { cwd, mode: 'auto-edit', title: 'The first one', prompt: waits })
  await world.until(first, 'its turn', ({ turn }) => turn)
  const second = world.start('demo', { cwd, mode: 'auto-edit', prompt: scriptPrompt([write('a.txt', 'second\n')]) })
  await world.until(second, 'the turn of the second', idle(1))
  expect(world.printed(second, 'log')).toContain('Another session works in this folder: "The first one"')
  const shown = await plan(bench, second)
  expect(shown.files.map(({ path, ask }) => [path, ask])).toEqual([['a.txt', 'unsure']])
  await bench.touch('go')
  await world.until(first, 'the end of its turn', ({ counts, turn }) => counts.turns === 1 && !turn)
})
