import { rmSync } from 'node:fs'
import { scriptPrompt } from '@hotline/demo-agent/script'
import { waitFor } from '@hotline/testing/wait-for'
import { expect, test } from 'vitest'
import { openPlace, type Place } from './place.ts'

const say = (text: string): string => scriptPrompt([{ do: 'say', text }])

/** A session of which the machine is gone with all that its agent knew, on its way to another machine. */
async function leaveBehind(place: Place): Promise<string> {
  const { world } = place
  // Without a folder of its own: what the agent remembers goes with its machine.
  const session = world.start('demo', { prompt: say('before') })
  await world.until(session, 'a turn', ({ counts, turn }) => counts.turns === 1 && !turn)
  await leave(place, session)
  return session
}

/** The machine of this session is gone with all that its agent knew, and it is on its way to another one. */
async function leave(place: Place, session: string): Promise<void> {
  const { world, guard, dataDir } = place
  await place.kill()
  for (const { pid } of guard.findSurvivors()) {
    try {
      process.kill(pid, 'SIGKILL')
    } catch (error) {
      // One that is killed takes others along.
      if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error
    }
  }
  await waitFor(() => guard.findSurvivors().length === 0, { what: 'nothing to be left' })
  rmSync(dataDir, { recursive: true, force: true })
  world.send(session, 'contact.lose', { since: new Date().toISOString() }, { kind: 'system', id: 'server' })
  world.runner.id = 'another'
  world.send(session, 'session.take_over', { runner: 'another' })
}

const told = (place: Place, session: string): string => place.world.printed(session, 'log')

test('[S22] what an agent without its context is to be told is told, also where the runner was killed before it could', async () => {
  await using place = await openPlace('by keeper')
  const { world } = place
  const session = await leaveBehind(place)
  await place.start()
  await world.until(session, 'an agent there', ({ status }) => status === 'active')
  await waitFor(() => told(place, session).includes('so it begins anew'), { what: 'word of it' })
  const { pid } = world.state(session)
  await place.count()
  await place.kill()
  await place.start()
  world.send(session, 'message.send', { text: say('after') })
  await world.until(session, 'another turn', ({ counts, turn }) => counts.turns === 2 && !turn)
  expect(world.state(session).pid).toBe(pid)
  expect(told(place, session)).toContain('Told to the agent with this message: This conversation began with an agent')
  expect(told(place, session).split('Told to the agent')).toHaveLength(2)
  world.send(session, 'message.send', { text: say('and on') })
  await world.until(session, 'a third turn', ({ counts, turn }) => counts.turns === 3 && !turn)
  // The demonstration agent plays again what it is told of.
  expect(world.said(session)).toMatch(/after\nand on$/)
  expect(told(place, session).split('Told to the agent')).toHaveLength(2)
})

test('[US4] [S22] what was used before a takeover counts on, and so does its budget', async () => {
  await using place = await openPlace('by keeper')
  const { world } = place
  const cost = (amount: number) => ({ do: 'usage', used: 1, size: 9, cost: { amount, currency: 'USD' } }) as const
  const session = world.start('demo', { prompt: scriptPrompt([cost(2)]) })
  await world.until(session, 'a turn', ({ counts, turn }) => counts.turns === 1 && !turn)
  await leave(place, session)
  await place.start()
  await world.until(session, 'an agent there', ({ status }) => status === 'active')
  world.send(session, 'message.send', { text: scriptPrompt([cost(0.5)]) })
  await world.until(session, 'another turn', ({ counts, turn }) => counts.turns === 2 && !turn)
  // The demonstration agent plays again what it is told of: twice 2, and then what it was asked for.
  expect(world.state(session).usage?.cost).toEqual({ amount: 4.5, currency: 'USD' })
})

test('[S22] killed at any moment of a takeover, the new runner tells the agent all the same', async () => {
  await using place = await openPlace('by keeper')
  const { world } = place
  const session = await leaveBehind(place)
  world.send(session, 'message.send', { text: say('after') })
  const steps = [
    'session.lease_taken',
    'agent.profiled',
    'session.state_changed',
    'output.appended',
    'message.delivered',
  ]
  for (const type of steps) {
    const before = world.types(session).filter((known) => known === type).length
    await place.start()
    const hasCome = (): boolean => world.types(session).filter((known) => known === type).length > before
    const isDone = (): boolean => world.state(session).counts.turns === 2 && !world.state(session).turn
    await waitFor(() => hasCome() || isDone(), { what: type, everyMs: 1 })
    await place.kill()
  }
  await place.start()
  // One that nobody can say of whether the agent has it is not sent again by itself.
  const isOver = (): boolean =>
    world.state(session).queue.length === 0 && !world.state(session).turn && world.state(session).status !== 'starting'
  await waitFor(isOver, { what: 'the message to be dealt with' })
  if (world.state(session).status === 'interrupted') world.send(session, 'session.resume', {})
  world.send(session, 'message.send', { text: say('at last') })
  await world.until(session, 'the last turn', () => world.said(session).endsWith('at last'))
  expect(told(place, session)).toContain('Told to the agent with this message: This conversation began with an agent')
})
