import type { AgentRow } from '@hotline/protocol/http'
import { renderToStaticMarkup } from 'react-dom/server'
import { expect, test } from 'vitest'
import { AgentOptions, ChosenAgent, NotReady } from '../src/session/start-agents.tsx'

const row = (agent: string, more: Partial<AgentRow>): AgentRow => ({
  agent,
  name: agent.toUpperCase(),
  description: `what ${agent} is`,
  runner: 'alpha',
  runnerId: 'r-alpha',
  available: true,
  state: 'ready',
  ...more,
})

test('[G70] agents are listed by machine, with version and state; those that are not ready cannot be chosen', () => {
  const missing = row('b', {
    available: false,
    state: 'not_installed',
    hint: 'Install it with: npm install -g b, and go',
  })
  const one = [row('a', { version: '1.2.3', state: 'signed_out', hint: 'Sign in.' }), missing]
  expect(renderToStaticMarkup(<AgentOptions agents={one} />)).toBe(
    '<option value="r-alpha a">A 1.2.3 (not signed in)</option>' +
      '<option value="r-alpha b" disabled="">B (not installed)</option>',
  )
  const other = row('a', { runnerId: 'r-beta-12345678' })
  const two = renderToStaticMarkup(<AgentOptions agents={[...one, other]} />)
  expect(two).toContain('<optgroup label="alpha (r-alpha)">')
  expect(two).toContain('<optgroup label="alpha (12345678)"><option value="r-beta-12345678 a">A</option></optgroup>')
  expect(renderToStaticMarkup(<AgentOptions agents={[]} />)).toContain('No machine is connected yet')
  const list = renderToStaticMarkup(<NotReady agents={[...one, other]} />)
  expect(list).toContain('1 agent not ready: what to do')
  expect(list).toContain(
    '<strong>B</strong> on alpha (r-alpha), not installed. Install it with: npm install -g b, and go',
  )
  expect(list).toContain('aria-label="Copy the command that installs B"')
  expect(renderToStaticMarkup(<NotReady agents={[other]} />)).toBe('')
})

test('[G70] of the chosen agent is said what it is, what it can do, and what to do first', () => {
  const text = (more: Partial<AgentRow>): string =>
    renderToStaticMarkup(<ChosenAgent row={row('a', more)} />).replaceAll(/<[^>]*>/g, '|')
  expect(
    text({ state: 'signed_out', hint: 'Sign in.', can: { verdicts: ['allow', 'deny', 'modify'], resume: true } }),
  ).toBe('|what a is||It asks before it acts. What it asks for can be edited. It can be resumed.||Sign in.|')
  expect(text({ asks: false })).toBe('|what a is||A program: nobody is asked before it acts.|')
  expect(text({ can: { verdicts: ['allow'], input: 'none' } })).toContain('Nothing can be said to it after the start.')
})
