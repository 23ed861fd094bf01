import { expect, test } from 'vitest'
import type { NonsenseKind } from '../src/script.ts'
import { startAgent } from './agent-process.ts'
import type { AgentProcess } from './agent-process.ts'

/** Speaks one kind of nonsense between two ordinary messages; returns the lines between them. */
async function nonsense(agent: AgentProcess, kind: NonsenseKind, bytes?: number): Promise<string[]> {
  const session = await agent.open()
  const { result } = await agent.play(session, [
    { do: 'say', text: 'before' },
    { do: 'nonsense', kind, ...(bytes !== undefined && { bytes }) },
    { do: 'say', text: 'after' },
  ])
  expect(result).toEqual({ stopReason: 'end_turn' })
  const at = (text: string): number => agent.lines.findIndex((line) => line.includes(`"text":"${text}"`))
  return agent.lines.slice(at('before') + 1, at('after'))
}

const isJson = (line: string): boolean => {
  try {
    JSON.parse(line)
    return true
  } catch {
    return false
  }
}

test.each(['text', 'badJson'] as const)('%s is one line that is no JSON', async (kind) => {
  await using agent = await startAgent()
  const lines = await nonsense(agent, kind)
  expect(lines).toHaveLength(1)
  expect(lines.map(isJson)).toEqual([false])
})

test('hugeLine is one valid line of the asked size', async () => {
  await using agent = await startAgent()
  const [small = ''] = await nonsense(agent, 'hugeLine', 100_000)
  expect(small.length).toBe(99_999) // the newline is the last byte
  expect(isJson(small)).toBe(true)
})

test('hugeLine has 40 MiB where nobody asks for less', async () => {
  await using agent = await startAgent()
  const [large = ''] = await nonsense(agent, 'hugeLine')
  expect(large.length).toBe(40 * 1024 * 1024 - 1)
  expect(isJson(large)).toBe(true)
})

test('unknownMethod is a request and a notification that nobody knows', async () => {
  await using agent = await startAgent()
  const messages = (await nonsense(agent, 'unknownMethod')).map((line) => JSON.parse(line) as unknown)
  expect(messages).toMatchObject([
    { id: 'nonsense-1', method: expect.stringMatching(/^_demo/) },
    { method: expect.stringMatching(/^_demo/) },
  ])
})

test('unknownUpdate is an update of a kind that nobody knows', async () => {
  await using agent = await startAgent()
  const [line = ''] = await nonsense(agent, 'unknownUpdate')
  expect(JSON.parse(line)).toMatchObject({
    method: 'session/update',
    params: { update: { sessionUpdate: 'quantum_update' } },
  })
})

test('nullUpdate is an update without an update', async () => {
  await using agent = await startAgent()
  const [line = ''] = await nonsense(agent, 'nullUpdate')
  expect(JSON.parse(line)).toMatchObject({ method: 'session/update', params: { update: null } })
})

test('wrongId answers what nobody asked', async () => {
  await using agent = await startAgent()
  const lines = await nonsense(agent, 'wrongId')
  expect(lines.map((line) => JSON.parse(line) as unknown)).toMatchObject([{ id: 987_654_321 }, { id: 'never-asked' }])
})

test('deepJson is one line of brackets in brackets', async () => {
  await using agent = await startAgent()
  const [line = ''] = await nonsense(agent, 'deepJson')
  expect(line).toContain('['.repeat(100_000) + ']'.repeat(100_000))
})

test('batch is an array of messages', async () => {
  await using agent = await startAgent()
  const [line = ''] = await nonsense(agent, 'batch')
  expect(JSON.parse(line)).toHaveLength(2)
})

test('binary is no UTF-8, in one line', async () => {
  await using agent = await startAgent()
  const lines = await nonsense(agent, 'binary')
  expect(lines).toHaveLength(1)
  expect(lines[0]).toContain('\uFFFD')
})
