import { existsSync, globSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type Step, scriptPrompt } from '@hotline/demo-agent/script'
import type { SessionState } from '@hotline/core/session/state'
import { expect, test } from 'vitest'
import { openDeskClient } from '../src/desk/desk-client.ts'
import { type Bench, demoAgent, openBench } from './bench.ts'
import { profileOf } from './profile-of.ts'

const write = (path: string, content: string): Step => ({ do: 'write', path, content })
const idle = (turns: number) => (state: SessionState) =>
  state.counts.turns === turns && !state.turn && state.checkpoints !== undefined

/** Asks what there is to review. */
async function look({ world }: Bench, session: string) {
  const draft = world.send(session, 'draft.make', {})
  await world.until(session, 'an answer', (state) => state.draft?.phase !== 'wanted')
  const ready = world.events(session, 'draft.ready').find(({ data }) => data.draft === draft)
  return { draft, digest: ready?.data.digest ?? '', files: ready?.body?.files ?? [], body: ready?.body }
}

async function review(
  { world }: Bench,
  session: string,
  { draft, digest }: { draft: string; digest: string },
  what: { keep?: string[]; discard?: string[]; guarded?: string[]; reason?: string },
) {
  world.send(session, 'draft.review', { draft, digest, ...what })
  await world.until(session, 'it to be done', (state) => state.draft?.draft !== draft)
  return world.events(session, 'draft.resolved').find(({ data }) => data.draft === draft)
}

test('[DR1] [DR2] [DR4] what an agent changed is kept and discarded file by file, and it hears why', async () => {
  await using bench = await openBench({ keepsFiles: true })
  const { world, cwd } = bench
  writeFileSync(join(cwd, 'a.txt'), 'before\n')
  writeFileSync(join(cwd, 'b.txt'), 'before\n')
  const steps = [write('a.txt', 'after\n'), write('b.txt', 'after\n'), write('c.txt', 'new\n'), write('d.txt', 'new\n')]
  const session = world.start('demo', { cwd, mode: 'auto-edit', prompt: scriptPrompt(steps) })
  await world.until(session, 'the turn', idle(1))
  const shown = await look(bench, session)
  expect(shown.files.map(({ path, change }) => [path, change])).toEqual([
    ['a.txt', 'changed'],
    ['b.txt', 'changed'],
    ['c.txt', 'added'],
    ['d.txt', 'added'],
  ])
  expect(shown.body?.changes?.[0]).toMatchObject({ path: 'a.txt', oldText: 'before\n', newText: 'after\n' })
  expect(shown.body?.changes?.[2]).toMatchObject({ path: 'c.txt', oldText: null, newText: 'new\n' })
  const done = await review(bench, session, shown, {
    keep: ['a.txt'],
    discard: ['b.txt', 'c.txt'],
    reason: 'Not in this release.',
  })
  expect(done?.data).toMatchObject({ kept: 1, discarded: 2, open: 1 })
  expect(readFileSync(join(cwd, 'a.txt'), 'utf8')).toBe('after\n')
  expect(readFileSync(join(cwd, 'b.txt'), 'utf8')).toBe('before\n')
  expect(existsSync(join(cwd, 'c.txt'))).toBe(false)
  // What was kept is not shown again, until it is another file.
  expect((await look(bench, session)).files.map(({ path }) => path)).toEqual(['d.txt'])
  const again = scriptPrompt([write('a.txt', 'once more\n')])
  world.send(session, 'message.send', { text: again })
  await world.until(session, 'the second turn', idle(2))
  expect(world.printed(session, 'log')).toContain('discarded those to these files: "b.txt", "c.txt"')
  expect(world.printed(session, 'log')).toContain('The reason: Not in this release.')
  expect((await look(bench, session)).files.map(({ path }) => path)).toEqual(['a.txt', 'd.txt'])
})

test('[DR2] a decision holds for what was shown: where a file is another one by now, nothing is done', async () => {
  await using bench = await openBench({ keepsFiles: true })
  const { world, cwd } = bench
  const prompt = scriptPrompt([write('a.txt', 'agent\n'), write('b.txt', 'agent\n')])
  const session = world.start('demo', { cwd, mode: 'auto-edit', prompt })
  await world.until(session, 'the turn', idle(1))
  const shown = await look(bench, session)
  writeFileSync(join(cwd, 'b.txt'), 'a person\n')
  expect(await review(bench, session, shown, { discard: ['a.txt'] })).toBeUndefined()
  expect(world.events(session, 'draft.refused').at(-1)?.body?.reason).toContain('not as they were shown')
  expect(existsSync(join(cwd, 'a.txt'))).toBe(true)
  const { draft, digest } = shown
  expect(() => world.send(session, 'draft.review', { draft, digest, keep: ['a.txt'] })).toThrow('invalid_transition')
})

test('[DR3] [T61] [GI38] what others run, or what agents may do, is kept by a decision of its own alone', async () => {
  await using bench = await openBench({ keepsFiles: true })
  const { world, cwd } = bench
  const guarded = [
    '.claude/settings.json',
    '.github/workflows/x.yml',
    '.gitmodules',
    '.husky/pre-commit',
    'package.json',
  ]
  const prompt = scriptPrompt([...guarded, 'plain.txt'].map((path) => write(path, '{}\n')))
  const session = world.start('demo', { cwd, mode: 'auto-edit', prompt })
  await world.until(session, 'the turn', idle(1))
  const shown = await look(bench, session)
  expect(shown.files.filter((file) => file.guarded !== undefined).map(({ path }) => path)).toEqual(guarded)
  const all = shown.files.map(({ path }) => path)
  const done = await review(bench, session, shown, { keep: all, guarded: ['package.json'] })
  expect(done?.data).toMatchObject({ kept: 2, discarded: 0, open: 4 })
  const left = await look(bench, session)
  expect(left.files.map(({ path }) => path)).toEqual(guarded.filter((path) => path !== 'package.json'))
  await review(bench, session, left, { discard: ['.gitmodules'] })
  expect(existsSync(join(cwd, '.gitmodules'))).toBe(false)
})

const offered = (state: SessionState) => state.draft?.phase === 'ready'

test('[DR6] at the end of a turn that changed files they are up for review, and what is open stays so', async () => {
  await using bench = await openBench({ keepsFiles: true })
  const { world, cwd } = bench
  writeFileSync(join(cwd, 'a.txt'), 'one\ntwo\n')
  const prompt = scriptPrompt([write('a.txt', 'one\n2\n3\n'), write('b.txt', 'new\n')])
  const session = world.start('demo', { cwd, mode: 'auto-edit', prompt })
  await world.until(session, 'an offer', offered)
  const [first] = world.events(session, 'draft.ready')
  expect(first?.data).toMatchObject({ files: 2, guarded: 0, added: 3, removed: 1, changed: 2 })
  expect(first?.data.turn).toBe(world.events(session, 'turn.ended')[0]?.data.turn)
  expect(first?.body?.files.map(({ path, added, removed }) => [path, added, removed])).toEqual([
    ['a.txt', 2, 1],
    ['b.txt', 1, 0],
  ])
  const { draft, digest } = { draft: '', digest: '', ...first?.data }
  const done = await review(bench, session, { draft, digest }, { keep: ['a.txt'] })
  expect(done?.data).toMatchObject({ kept: 1, open: 1, changed: 2 })
  await world.until(session, 'what is open', offered)
  const left = world.events(session, 'draft.ready').at(-1)
  expect(left?.body?.files.map(({ path }) => path)).toEqual(['b.txt'])

  // A turn that changes nothing says nothing; one that takes everything back leaves nothing to look at.
  world.send(session, 'message.send', { text: scriptPrompt([{ do: 'say', text: 'Nothing.' }]) })
  await world.until(session, 'the second turn', idle(2))
  world.send(session, 'message.send', { text: scriptPrompt([write('b.txt', 'other\n')]) })
  await world.until(session, 'another offer', (state) => state.counts.turns === 3 && offered(state) && !state.turn)
  await world.until(session, 'the new one', () => world.events(session, 'draft.ready').length === 3)
  expect(world.events(session, 'draft.dropped').at(-1)?.data.draft).toBe(left?.data.draft)
  const last = world.events(session, 'draft.ready').at(-1)
  await review(bench, session, { draft: '', digest: '', ...last?.data }, { discard: ['b.txt'] })
  expect(existsSync(join(cwd, 'b.txt'))).toBe(false)
  expect(world.state(session)).toMatchObject({ changed: 1 })
  expect(world.state(session).draft).toBeUndefined()
})

test('[DR6] where its profile says so, changes are put up for review when somebody asks, and not by themselves', async () => {
  const quiet = { ...profileOf('quiet', {}), review: 'when_asked' as const, argv: [...demoAgent, '--pace', '0'] }
  const asking = { by: 'mode' as const, modes: ['ask', 'auto-edit'] }
  await using bench = await openBench({ keepsFiles: true, profiles: [{ ...quiet, asking }] })
  const { world, cwd } = bench
  const session = world.start('quiet', { cwd, mode: 'auto-edit', prompt: scriptPrompt([write('a.txt', 'a\n')]) })
  await world.until(session, 'the turn', idle(1))
  expect((await look(bench, session)).files.map(({ path }) => path)).toEqual(['a.txt'])
  const ready = world.events(session, 'draft.ready')
  expect(ready.map(({ data }) => data.turn)).toEqual([undefined])
})

test('[DR6] of a file that is too long to be shown whole what changed is shown, with the lines around it', async () => {
  await using bench = await openBench({ keepsFiles: true })
  const { world, cwd } = bench
  const lines = Array.from({ length: 4_000 }, (_, at) => `line ${at + 1}`)
  writeFileSync(join(cwd, 'long.txt'), `${lines.join('\n')}\n`)
  const changed = lines.with(1_999, 'another').with(2_999, 'one more')
  await bench.script([write('long.txt', `${changed.join('\n')}\n`)])
  const session = world.start('scripted', { cwd, mode: 'auto-edit', prompt: 'Go.' })
  await world.until(session, 'an offer', offered)
  const [ready] = world.events(session, 'draft.ready')
  expect(ready?.data).toMatchObject({ files: 1, added: 2, removed: 2 })
  const around = (first: string, second: string): string =>
    [
      '⋯',
      ...lines.slice(1_996, 1_999),
      first,
      ...lines.slice(2_000, 2_003),
      '⋯',
      ...lines.slice(2_996, 2_999),
      second,
      ...lines.slice(3_000, 3_003),
      '⋯',
      '',
    ].join('\n')
  expect(ready?.body?.changes).toEqual([
    {
      path: 'long.txt',
      oldText: around('line 2000', 'line 3000'),
      newText: around('another', 'one more'),
      partial: true,
    },
  ])
})

test('[DR6] an undo of everything leaves nothing up for review, and says that nothing is left', async () => {
  await using bench = await openBench({ keepsFiles: true })
  const { world, cwd } = bench
  const session = world.start('demo', { cwd, mode: 'auto-edit', prompt: scriptPrompt([write('a.txt', 'agent\n')]) })
  await world.until(session, 'an offer', offered)
  const undo = world.send(session, 'undo.plan', {})
  await world.until(session, 'a plan', (state) => state.undo?.phase === 'planned')
  world.send(session, 'undo.apply', { undo, digest: world.state(session).undo?.digest ?? '' })
  await world.until(session, 'nothing to be left', (state) => state.draft === undefined && state.changed === 0)
  expect(existsSync(join(cwd, 'a.txt'))).toBe(false)
})

test('[MC7] in the middle of its turn an agent has its changes reviewed; its end closes what is open', async () => {
  await using bench = await openBench({ keepsFiles: true })
  const { world, cwd, dataDir } = bench
  writeFileSync(join(cwd, 'b.txt'), 'before\n')
  const steps = [write('a.txt', 'agent\n'), write('b.txt', 'agent\n'), { do: 'waitFile', path: 'go' } as const]
  const session = world.start('demo', { cwd, mode: 'auto-edit', prompt: scriptPrompt(steps) })
  await world.until(session, 'both files', () => readFileSync(join(cwd, 'b.txt'), 'utf8') === 'agent\n')
  const [file = ''] = globSync('**/desks/*.json', { cwd: dataDir })
  using desk = openDeskClient(() => Promise.resolve(join(dataDir, file)))
  const answer = desk.ask('submit_draft', { note: 'Half of it.' })
  await world.until(session, 'the agent to wait', (state) => state.draft?.waits === true)
  expect(() => world.send(session, 'draft.make', {})).toThrow('invalid_transition')
  const [shown] = world.events(session, 'draft.ready')
  expect(shown?.body).toMatchObject({ note: 'Half of it.' })
  const of = { draft: '', digest: '', ...shown?.data }
  expect(await review(bench, session, of, { discard: ['b.txt'], reason: 'No.' })).toMatchObject({
    data: { discarded: 1, open: 1, heard: true },
  })
  expect(await answer).toEqual({
    outcome: 'reviewed',
    files: [
      { path: 'b.txt', outcome: 'discarded' },
      { path: 'a.txt', outcome: 'open' },
    ],
    reason: 'No.',
  })
  expect(readFileSync(join(cwd, 'b.txt'), 'utf8')).toBe('before\n')
  expect(world.state(session).turn).toBeDefined()
  // It asks again, and its turn ends before anybody looks.
  const second = desk.ask('submit_draft', {})
  await world.until(session, 'the agent to wait again', (state) => state.draft?.waits === true)
  writeFileSync(join(cwd, 'go'), '')
  expect(await second).toMatchObject({ outcome: 'closed', files: [] })
  await world.until(
    session,
    'what is left',
    (state) => state.turn === undefined && offered(state) && !state.draft?.waits,
  )
  // It has heard of it, and is not told again.
  world.send(session, 'message.send', { text: scriptPrompt([{ do: 'say', text: 'Fine.' }]) })
  await world.until(session, 'the next turn', idle(2))
  expect(world.printed(session, 'log')).not.toContain('discarded those')
})
