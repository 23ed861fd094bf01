import { expect, test } from 'vitest'
import { openCodex } from './open-codex.ts'

const news = (method: string, params: Record<string, unknown>) => ({ do: 'news', method, params }) as const
const began = (item: Record<string, unknown>) => news('item/started', { item })
const ended = (item: Record<string, unknown>) => news('item/completed', { item })
const change = (path: string, type: string, diff: string) => ({ path, kind: { type }, diff })

test('[R65] tools, searches, pictures and other agents that codex uses are steps, with how each ended', async () => {
  await using codex = await openCodex()
  const { world, session } = codex
  const tool = { type: 'mcpToolCall', server: 'tickets', tool: 'close' }
  codex.send(
    began({ ...tool, id: 'm1', arguments: { ticket: 7 } }),
    ended({ ...tool, id: 'm1', arguments: {}, status: 'completed', result: { content: [{ text: 'closed' }] } }),
    ended({ ...tool, id: 'm2', arguments: {}, status: 'failed', error: { message: 'no such ticket' } }),
    began({ type: 'webSearch', id: 'w1', query: '' }),
    ended({ type: 'webSearch', id: 'w1', query: 'tide gates' }),
    ended({ type: 'imageView', id: 'i1', path: '/tmp/gate.png' }),
    ended({ type: 'collabAgentToolCall', id: 'c1', tool: 'spawn', status: 'failed', prompt: 'help' }),
  )
  await codex.turns(1)
  const begun = world.events(session, 'step.started').map(({ data, body }) => [data.kind, body?.title])
  expect(begun).toEqual([
    ['other', 'tickets: close'],
    ['other', 'tickets: close'],
    ['search', 'Search the web'],
    ['read', 'Look at /tmp/gate.png'],
    ['other', 'Another agent: spawn'],
  ])
  expect(world.events(session, 'step.progressed').map(({ body }) => body?.title)).toEqual([
    'Search the web: tide gates',
  ])
  expect(world.events(session, 'step.finished').map(({ data, body }) => [data.outcome, body?.error])).toEqual([
    ['done', undefined],
    ['failed', 'no such ticket'],
    ['done', undefined],
    ['done', undefined],
    ['failed', 'It failed.'],
  ])
  expect(world.events(session, 'step.finished')[0]?.body?.output).toContain('closed')
})

test('[R65] a patch is shown as it grows, and as it was in the end', async () => {
  await using codex = await openCodex()
  const { world, session } = codex
  const [one, two] = [change('/w/a.txt', 'add', 'x\n'), change('/w/b.txt', 'delete', 'y\n')]
  codex.send(
    began({ type: 'fileChange', id: 'f1', changes: [one], status: 'inProgress' }),
    news('item/fileChange/patchUpdated', { itemId: 'f1', changes: [one, two] }),
    // The same again says nothing new, and neither does one of a step that nobody knows.
    news('item/fileChange/patchUpdated', { itemId: 'f1', changes: [one, two] }),
    news('item/fileChange/patchUpdated', { itemId: 'f9', changes: [one] }),
    began({ type: 'fileChange', id: 'f1', changes: [one], status: 'inProgress' }),
    ended({ type: 'fileChange', id: 'f1', changes: [one, two], status: 'completed' }),
  )
  await codex.turns(1)
  // What changes within a moment is told once, as it is then.
  const shown = world.events(session, 'step.progressed').map(({ body }) => body?.changes?.map(({ path }) => path))
  expect(shown.at(-1)).toEqual(['/w/a.txt', '/w/b.txt'])
  expect(world.events(session, 'step.finished').map(({ data }) => data.outcome)).toEqual(['done'])
})

test('[R65] thoughts that come whole, a shortened memory, another model and warnings are told', async () => {
  await using codex = await openCodex()
  const { world, session } = codex
  codex.send(
    news('item/reasoning/textDelta', { itemId: 'r1', contentIndex: 0, delta: 'hm, ' }),
    news('item/reasoning/textDelta', { itemId: 'r1', contentIndex: 0, delta: 'well' }),
    ended({ type: 'reasoning', id: 'r1', summary: [], content: ['hm, well'] }),
    ended({ type: 'reasoning', id: 'r2', summary: ['In short'], content: ['at length'] }),
    ended({ type: 'contextCompaction', id: 'k1' }),
    news('model/rerouted', { fromModel: 'large', toModel: 'small' }),
    news('warning', { message: 'The disk is nearly full.' }),
    ended({ type: 'somethingNew', id: 'n1' }),
  )
  await codex.turns(1)
  const thoughts = world.events(session, 'thought.completed').map(({ body }) => body?.text)
  expect(thoughts).toEqual(['hm, well', 'In short', 'at length'])
  const printed = world.printed(session, 'log')
  expect(printed).toContain('The agent has shortened what it remembers of this session.')
  expect(printed).toContain('The disk is nearly full.')
  expect(world.state(session).model).toBe('small')
})
