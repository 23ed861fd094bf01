import type { SessionState } from '@hotline/core/session/state'
import type { AgentRow } from '@hotline/protocol/http'
import { expect, it } from 'vitest'
import { whoTakesOver } from '../src/who-takes-over.ts'

const row = (runnerId: string, more: Partial<AgentRow> = {}): AgentRow => ({
  agent: 'claude',
  name: 'Claude',
  description: '',
  runner: runnerId.toUpperCase(),
  runnerId,
  available: true,
  ...more,
})
const session = (more: Partial<SessionState>): SessionState =>
  ({ agent: 'claude', runner: 'a', status: 'active', ...more }) as SessionState

it('[S20] is offered on other machines that have the agent, where the own one is silent and no program runs', () => {
  const others = [row('b'), row('c', { available: false }), row('d', { agent: 'codex' })]
  const stale = { staleSince: '2026-01-01T10:00:00.000Z' }
  const names = (agents: readonly AgentRow[], more: Partial<SessionState>): string[] | undefined =>
    whoTakesOver(agents, session(more))?.map(({ name }) => name)
  expect(names(others, stale)).toEqual(['B'])
  expect(names([row('a'), ...others], stale)).toEqual(['B'])
  expect(names(others, {})).toBeUndefined()
  expect(names([], stale)).toEqual([])
  // Without an agent, whether its machine is there shows in what it offers.
  expect(names(others, { status: 'interrupted' })).toEqual(['B'])
  expect(names([row('a'), ...others], { status: 'interrupted' })).toBeUndefined()
  expect(names(others, { ...stale, status: 'completed' })).toBeUndefined()
  for (const input of ['keys', 'lines', 'none'] as const) {
    expect(names(others, { ...stale, capabilities: { input } as never })).toBeUndefined()
  }
})
