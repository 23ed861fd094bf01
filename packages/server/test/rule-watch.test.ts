import type { CommandInput } from '@hotline/protocol/command'
import { serverStream } from '@hotline/protocol/stream'
import type { HandRunner } from '@hotline/testing/hand-runner'
import { takeByHand } from '@hotline/testing/hand-runner'
import { machine, type Middle, openMiddle } from '@hotline/testing/middle'
import { waitFor } from '@hotline/testing/wait-for'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { systemClock } from '../src/machine/clock.ts'
import { systemIds } from '../src/machine/ids.ts'
import { systemPrincipal } from '../src/scheduler/approval-timer.ts'
import { watchRules } from '../src/scheduler/rule-watch.ts'

let middle: Middle
beforeEach(async () => {
  middle = await openMiddle()
  await middle.send(systemPrincipal, 'project:p2', 'project.create', { name: 'Two' })
})
afterEach(() => middle.close())

const request = { tool: 'Bash', title: 'Test', input: '{"command":"npm test"}', cwd: '/w' }
const allow: CommandInput<'policy.set_rule'> = {
  effect: 'allow',
  match: { agent: 'demo', tool: 'Bash', command: ['npm', 'test'] },
}

async function asking(session: string, project = 'p1'): Promise<HandRunner> {
  await middle.send(systemPrincipal, `session:${session}`, 'session.start', { project, agent: 'demo' })
  const hand = await takeByHand(session, { command: (to, type, data) => middle.send(machine, to, type, data) })
  await hand.ask(request)
  return hand
}

async function outcomes(session: string): Promise<readonly (string | undefined)[]> {
  const state = (await middle.exchange.snapshot(`session:${session}`))?.state
  return state?.kind === 'session' ? state.approvals.map(({ outcome }) => outcome) : []
}

function watch(): { stop: () => void; faults: unknown[] } {
  const faults: unknown[] = []
  const { exchange, lists, bus } = middle
  const ids = systemIds(() => Date.now())
  const watching = watchRules({ exchange, lists, bus, clock: systemClock, ids, fault: (error) => faults.push(error) })
  return { stop: () => watching[Symbol.dispose](), faults }
}

async function allowed(...sessions: string[]): Promise<void> {
  for (const session of sessions) {
    await waitFor(async () => (await outcomes(session))[0] === 'allowed', { what: `the answer in ${session}` })
  }
}

test('[PO16] what is open when the server starts is answered by a rule that it had not looked at', async () => {
  await asking('before')
  await middle.send(systemPrincipal, 'project:p1', 'policy.set_rule', allow)
  expect(await outcomes('before')).toEqual([undefined])
  const { stop, faults } = watch()
  await allowed('before')
  stop()
  expect(faults).toEqual([])
})

test('[PO16] more sessions than one page has are looked at, paused ones too, and none of another project', async () => {
  const many = Array.from({ length: 205 }, (_, at) => `many-${at}`)
  for (const session of many) await asking(session)
  const paused = await asking('paused')
  await paused.report({
    type: 'session.state_changed',
    data: { from: 'active', to: 'paused', reason: 'requested', paused: { kind: 'frozen' } },
    body: {},
  })
  await asking('elsewhere', 'p2')
  const { stop, faults } = watch()
  await middle.send(systemPrincipal, 'project:p1', 'policy.set_rule', allow)
  await allowed('paused', ...many)
  expect(await outcomes('elsewhere')).toEqual([undefined])
  stop()
  expect(faults).toEqual([])
})

test('[PO16] a rule that goes lets the next one answer, and nothing that was answered is answered again', async () => {
  await asking('one')
  const { stop, faults } = watch()
  const ask: CommandInput<'policy.set_rule'> = { effect: 'ask', match: { command: ['npm'] } }
  await middle.send(systemPrincipal, 'project:p1', 'policy.set_rule', ask, 'first')
  await middle.send(systemPrincipal, 'project:p1', 'policy.set_rule', allow, 'second')
  await asking('two')
  expect(await outcomes('two')).toEqual([undefined])
  await middle.send(systemPrincipal, 'project:p1', 'policy.revoke_rule', { rule: 'first', effect: 'ask' })
  await allowed('one', 'two')
  const head = (await middle.exchange.snapshot('session:one'))?.cursor
  await middle.send(systemPrincipal, 'project:p1', 'policy.set_rule', { effect: 'deny', match: { command: ['npm'] } })
  await asking('three')
  await waitFor(async () => (await outcomes('three'))[0] === 'denied', { what: 'the denial' })
  expect((await middle.exchange.snapshot('session:one'))?.cursor).toBe(head)
  stop()
  expect(faults).toEqual([])
})

test('[PO41] [PO16] what is open is looked at again where a rule is moved', async () => {
  await asking('moved')
  const { stop, faults } = watch()
  const ask: CommandInput<'policy.set_rule'> = { effect: 'ask', match: { command: ['npm'] } }
  await middle.send(systemPrincipal, 'project:p1', 'policy.set_rule', ask, 'asks')
  await middle.send(systemPrincipal, 'project:p1', 'policy.set_rule', allow, 'allows')
  expect(await outcomes('moved')).toEqual([undefined])
  await middle.send(systemPrincipal, 'project:p1', 'policy.move_rule', { rule: 'allows', before: 'asks' })
  await allowed('moved')
  stop()
  expect(faults).toEqual([])
})

test('[PO37] a rule of the server answers what is open in all projects, and at the start what was not looked at', async () => {
  await asking('here')
  await asking('there', 'p2')
  await middle.send(systemPrincipal, serverStream, 'policy.set_rule', allow, 'all')
  expect(await outcomes('here')).toEqual([undefined])
  const first = watch()
  await allowed('here', 'there')
  await middle.send(systemPrincipal, serverStream, 'policy.revoke_rule', { rule: 'all', effect: 'allow' })
  await asking('one')
  await asking('two', 'p2')
  await middle.send(systemPrincipal, serverStream, 'policy.set_rule', allow)
  await allowed('one', 'two')
  first.stop()
  expect(first.faults).toEqual([])
})

test('[PO35] the rules of the server are read from the log once, however much is asked', async () => {
  await middle.send(systemPrincipal, serverStream, 'policy.set_rule', allow)
  const heads: string[] = []
  const read = middle.store.head.bind(middle.store)
  middle.store.head = (stream) => {
    heads.push(stream)
    return read(stream)
  }
  for (let at = 0; at < 20; at += 1) await asking(`asks-${at}`)
  expect(await outcomes('asks-19')).toEqual(['allowed'])
  expect(heads.filter((stream) => !stream.startsWith('session:asks-'))).toEqual([])
})
