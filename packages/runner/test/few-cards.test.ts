import { execFileSync } from 'node:child_process'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Step } from '@hotline/demo-agent/script'
import { ruleForAsked } from '@hotline/core/policy/rule-for'
import { shapeOf } from '@hotline/core/policy/shape'
import type { EventOf } from '@hotline/protocol/events'
import type { PolicyRule } from '@hotline/protocol/policy'
import { tempDirsIn } from '@hotline/testing/temp-dirs-in'
import { waitFor } from '@hotline/testing/wait-for'
import { describe, expect, test } from 'vitest'
import { findFences } from '../src/process/namespace.ts'
import { type Bench, openBench } from './bench.ts'

// An agent behind a fence has a folder for temporary files of its own: its script lies elsewhere.
tempDirsIn('/var/tmp')

const { any } = await findFences(process.env['PATH'])

const run = (command: string): Step => ({ do: 'ask', title: command, kind: 'execute', input: { command } })
const read = (path: string): Step => ({ do: 'ask', title: `Read ${path}`, kind: 'read', input: { path } })
const edit = (path: string, content: string): Step => ({
  do: 'ask',
  title: `Edit ${path}`,
  kind: 'edit',
  input: { path, content },
  onAllow: [{ do: 'write', path, content }],
})

const dangerous = ['rm -rf build', 'curl -s https://example.org/schema.json', 'git push origin HEAD']

/** Half an hour of ordinary work, in which everything that an agent could ask about is asked: sixty requests and more. */
const work: readonly Step[] = [
  run('git status'),
  run('ls -la'),
  ...[1, 2, 3, 4, 5, 6, 7, 8, 9, 10].flatMap((round) => [
    read(`src/part-${round}.ts`),
    edit(`src/part-${round}.ts`, `export const part = ${round}\n`),
    edit(`test/part-${round}.test.ts`, `// part ${round}\n`),
    run('npm test'),
    run('git diff --stat'),
  ]),
  ...dangerous.slice(0, 2).map(run),
  edit('docs/notes.md', 'What was done.\n'),
  run('npm test'),
  run('git diff'),
  run('git status --short'),
  run("git commit -qam 'Split it into parts'"),
  run('git log --oneline -3'),
  ...dangerous.slice(2).map(run),
]

/** A repository with one commit. */
function makeRepository(root: string): void {
  const git = (...args: string[]): unknown =>
    execFileSync('git', ['-c', 'user.name=x', '-c', 'user.email=x@y', ...args], { cwd: root })
  mkdirSync(join(root, 'src'))
  for (let at = 1; at <= 10; at += 1) writeFileSync(join(root, `src/part-${at}.ts`), 'export {}\n')
  git('init', '-q', '-b', 'main')
  git('add', '-A')
  git('commit', '-qm', 'first')
}

/** Does the work under somebody who allows always what the page can remember, and denies what is dangerous. Answers the cards. */
async function workUnder(bench: Bench, freeEdits: boolean, how: 'worktree' | 'in_place'): Promise<readonly string[]> {
  const { world, cwd } = bench
  makeRepository(cwd)
  await bench.script(work)
  const choice = freeEdits ? { freeEdits: true as const } : {}
  const session = world.start('scripted', { cwd, isolation: how, prompt: 'Split it into parts.', ...choice })
  const stream = world.stream(session)
  const rules: PolicyRule[] = []
  stream.rules = rules
  const cards: string[] = []
  const answer = (ask: EventOf<'approval.requested'>): void => {
    const { agent } = world.state(session)
    const line = (ask.body && shapeOf({ ...ask.body, agent }).line) ?? ''
    cards.push(line)
    const lasting = ask.body && ruleForAsked(ask.body, agent, new Date().toISOString())
    if (lasting?.ok) rules.push({ ...lasting.rule, rule: `r${rules.length}` })
    world.decide(session, ask, dangerous.includes(line) ? 'deny' : 'allow')
  }
  const isOver = (): boolean => {
    const { counts, turn, approvals } = world.state(session)
    const open = approvals.find(({ outcome }) => outcome === undefined)
    const ask = world.events(session, 'approval.requested').find(({ data }) => data.approval === open?.approval)
    if (ask) answer(ask)
    return counts.turns === 1 && turn === undefined
  }
  await waitFor(isOver, { what: 'the work to be done', deadlineMs: 60_000 })
  expect(world.events(session, 'approval.requested')).toHaveLength(work.length)
  return cards
}

describe.skipIf(!any)('half an hour of ordinary work', () => {
  test('[PO33] in a place of its own behind a fence it raises five cards at most, and all that is dangerous is among them', async () => {
    expect(work.length).toBeGreaterThanOrEqual(60)
    await using bench = await openBench()
    const cards = await workUnder(bench, true, 'worktree')
    // A card is what a person is asked; what the mode or a rule answered is in the log and asks nobody.
    expect(cards).toEqual(['npm test', ...dangerous.slice(0, 2), "git commit -qam 'Split it into parts'", dangerous[2]])
    const { session } = [...bench.world.streams.values()].flatMap(({ state }) => state ?? [])[0] ?? { session: '' }
    const [set, ...more] = bench.world.events(session, 'policy.mode_set')
    expect(more).toEqual([])
    expect(set).toMatchObject({ actor: { kind: 'person', id: 'dana' }, data: { mode: 'edits_free' } })
    const [prepared] = bench.world.events(session, 'workspace.prepared')
    expect(readFileSync(join(prepared?.body?.folder ?? '', 'docs/notes.md'), 'utf8')).toBe('What was done.\n')
  })

  test('[PO32] in the folder itself, or without the wish, each edit is asked', async () => {
    await using inPlace = await openBench()
    const cards = await workUnder(inPlace, true, 'in_place')
    expect(cards.filter((line) => line.startsWith('src/') || line.startsWith('test/')).length).toBeGreaterThan(5)
    await using unwished = await openBench()
    const others = await workUnder(unwished, false, 'worktree')
    expect(others.length).toBeGreaterThan(5)
    for (const line of dangerous) expect(cards).toContain(line)
  })
})
