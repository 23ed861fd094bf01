import { randomUUID } from 'node:crypto'
import { join } from 'node:path'
import { evolveSession } from '@hotline/core/session/evolve'
import type { SessionState } from '@hotline/core/session/state'
import { type Step, scriptPrompt } from '@hotline/demo-agent/script'
import { asKnown } from '@hotline/protocol/known-event'
import type { Envelope } from '@hotline/protocol/event'
import { randomSeed, seededRandom } from '@hotline/testing/seed'
import { openTempDir } from '@hotline/testing/temp-dir'
import { waitFor } from '@hotline/testing/wait-for'
import { expect, test } from 'vitest'
import type { AgentSession, Said } from '../src/adapters/adapter.ts'
import { openLog } from '../src/log.ts'
import { Redactor } from '../src/redact.ts'
import { Outbox } from '../src/spool/outbox.ts'
import { Spool } from '../src/spool/spool.ts'
import { Prompts } from '../src/supervisor/prompts.ts'
import { Reporter } from '../src/supervisor/reporter.ts'
import { SessionLog } from '../src/supervisor/session-log.ts'
import { openBench } from './bench.ts'
import { linkOverCore } from './link-over-core.ts'
import { dana, World } from './world.ts'

const say = (text: string): Step => ({ do: 'say', text })
const turns = (count: number) => (state: { counts: { turns: number }; turn?: unknown }) =>
  state.counts.turns === count && !state.turn

/** An idle session whose runner claims one message after the other, with nothing of it reaching the server yet. */
async function openClaim() {
  const bench = await openBench()
  const { world, link, cwd } = bench
  const session = world.start('demo', { cwd })
  await world.until(session, 'an active session', ({ status }) => status === 'active')
  link.holdCommands()
  const send = (text: string): string => world.send(session, 'message.send', { text: scriptPrompt([say(text)]) })
  const one = send('one')
  await waitFor(() => link.held.some((data) => data.includes('message.delivered')), { what: 'a claim' })
  return { bench, world, link, session, one, send }
}

test('[R30] a message that was changed while its claim waited for the connection reaches the agent as it is now', async () => {
  const { bench, world, link, session, one } = await openClaim()
  await using _ = bench
  link.cut()
  for (const text of ['better', 'best']) {
    world.send(session, 'message.edit', { message: one, text: scriptPrompt([say(text)]) })
  }
  link.releaseCommands()
  link.mend()
  await world.until(session, 'a turn', turns(1))
  expect(world.said(session)).toBe('best')
  expect(world.events(session, 'message.delivered').map(({ data }) => data.edits)).toEqual([2])
})

test('[R30] messages that were moved while a claim was on its way reach the agent in their new order', async () => {
  const { bench, world, link, session, one, send } = await openClaim()
  await using _ = bench
  const two = send('two')
  world.send(session, 'message.reorder', { order: [two, one] })
  link.releaseCommands()
  await world.until(session, 'two turns', turns(2))
  expect(world.said(session)).toBe('two\none')
})

test('[R30] what the agent had before a log was put back waits for nobody, and is not given to it again', async () => {
  await using bench = await openBench()
  const { world, link, cwd } = bench
  const session = world.start('demo', { cwd })
  await world.until(session, 'an active session', ({ status }) => status === 'active')
  const one = world.send(session, 'message.send', { text: scriptPrompt([say('one')]) })
  const sent = world.stream(session).events.length
  await world.until(session, 'a turn', turns(1))
  const said = world.said(session)
  world.stream(session).goBack(sent)
  link.resetFollowers()
  world.send(session, 'message.send', { text: scriptPrompt([say('two')]) })
  await world.until(session, 'a turn', turns(1))
  expect([said, world.said(session)]).toEqual(['one', 'two'])
  expect(world.events(session, 'message.delivery_unknown').map(({ data }) => data.message)).toEqual([one])
})

/** Which text of which message the log says was delivered, and whether it was the first of its queue then. */
function deliveries(events: readonly Envelope[]): { message: string; text: string; isFirst: boolean }[] {
  const texts = new Map<string, string>()
  let state: SessionState | undefined
  return events.flatMap((event) => {
    const [first] = state?.queue ?? []
    state = evolveSession(state, event)
    const known = asKnown(event)
    if (known?.type === 'message.posted' || known?.type === 'message.edited') {
      texts.set(known.data.message, known.body?.text ?? '')
    }
    if (known?.type !== 'message.delivered') return []
    const { message } = known.data
    return [{ message, text: texts.get(message) ?? '', isFirst: first?.message === message }]
  })
}

test('[M6] [R31] whatever happens to a queue while claims are on their way, the agent gets what the log says was delivered', async () => {
  const seed = randomSeed('claims')
  const random = seededRandom(seed)
  const temp = await openTempDir('hotline-claims-')
  let steered = 0
  try {
    for (let round = 0; round < 25; round += 1) {
      await using play = openPlay(join(temp.path, `${round}.jsonl`))
      for (let move = 0; move < 60; move += 1) {
        play.move(random)
        for (let ticks = random.int(0, 4); ticks > 0; ticks -= 1) await new Promise((resolve) => setImmediate(resolve))
      }
      await play.settle(random)
      const said = deliveries(play.events)
      expect(play.got, `round ${round} of seed ${seed}`).toEqual(said.map(({ text }) => text))
      expect(said.every(({ isFirst }) => isFirst)).toBe(true)
      steered += play.steered
    }
    expect(steered, `seed ${seed}`).toBeGreaterThan(0)
  } finally {
    await temp.remove()
  }
})

const capabilities = {
  input: 'turns',
  steer: true,
  interrupt: true,
  pause: 'none',
  resume: true,
  verdicts: ['allow', 'deny'],
  denyReason: false,
  questions: true,
  screen: false,
}

/** The queue of an agent that only remembers what it got, over a link that is slow, held up and cut. */
function openPlay(spoolFile: string) {
  const world = new World()
  const link = linkOverCore(world)
  const session = world.start('demo')
  const { stream } = world.stream(session)
  world.command(stream, 'lease.take', {}, 'take')
  const active = { type: 'session.state_changed', data: { from: 'starting', to: 'active', reason: 'agent_ready' } }
  const profile = { type: 'session.profile_changed', data: { capabilities } }
  world.command(stream, 'agent.report', { fence: 1, events: [profile, { ...active, body: {} }] }, 'active')
  const log = openLog(() => undefined, [])
  const spool = new Spool(spoolFile, 1_000_000)
  const outbox = new Outbox(link, stream, spool, log, () => undefined)
  outbox.open(1)
  const sessionLog = new SessionLog()
  const got: string[] = []
  let isOver = false
  /** The turn that the agent is in, by what the runner knows. */
  let running: string | undefined
  let isDeaf = false
  let steered = 0
  const agent = {
    capabilities,
    prompt: (_turn: string, text: string) => {
      got.push(text)
      return Promise.resolve()
    },
    // It may be told a moment after the end of its turn; and some turns take nothing.
    steer: ({ turn, text }: Said) => {
      if (turn !== running || isDeaf) return Promise.resolve(false)
      got.push(text)
      steered += 1
      return Promise.resolve(true)
    },
  } as unknown as AgentSession
  const reporter = new Reporter(outbox, new Redactor([]), 50_000)
  const ports = {
    session,
    agent,
    sessionLog,
    reporter,
    spool,
    log,
    attached: { fetch: () => Promise.resolve([]) },
    takesInput: true,
    isFree: () => !isOver && running === undefined,
    running: () => running,
    beforeTurn: () => Promise.resolve(),
    onTurn: (turn: string) => (running = turn),
  }
  const prompts = new Prompts(ports)
  const follow = link.follow(stream, '0', {
    events: (events) => {
      for (const event of events) sessionLog.apply(event)
      prompts.changed()
    },
  })
  const queue = (): readonly { message: string }[] => world.state(session).queue
  let count = 0
  const moves: Record<string, (random: ReturnType<typeof seededRandom>) => void> = {
    send: () => world.send(session, 'message.send', { text: `text ${(count += 1)}` }),
    edit: (random) =>
      world.send(session, 'message.edit', { message: random.pick(queue()).message, text: `text ${(count += 1)}` }),
    withdraw: (random) => world.send(session, 'message.withdraw', { message: random.pick(queue()).message }),
    reorder: (random) =>
      world.send(session, 'message.reorder', { order: random.shuffle(queue().map(({ message }) => message)) }),
    hurry: (random) => {
      const { message } = random.pick(queue())
      const command = { id: randomUUID(), stream, type: 'message.hurry' as const, data: { message } }
      // What no turn is there for is refused.
      world.stream(session).apply(dana, command)
    },
    listen: () => (isDeaf = !isDeaf),
    end: () => {
      const turn = running
      running = undefined
      if (turn !== undefined) reporter.put({ type: 'turn.ended', data: { turn, end: 'end' }, body: {} })
      prompts.pump()
    },
    cut: () => link.cut(),
    mend: () => link.mend(),
    hold: () => link.holdCommands(),
    release: () => link.releaseCommands(),
    lose: () => link.loseAnswers(1),
  }
  const needs = ['edit', 'withdraw', 'reorder', 'hurry']
  return {
    got,
    get steered() {
      return steered
    },
    get events() {
      return world.stream(session).events
    },
    move: (random: ReturnType<typeof seededRandom>) => {
      const name = random.pick(['send', 'send', 'edit', 'edit', 'hurry', 'hurry', ...Object.keys(moves)])
      if (!needs.includes(name) || queue().length > 0) moves[name]?.(random)
    },
    settle: async (random: ReturnType<typeof seededRandom>) => {
      const isDone = (): boolean => {
        link.releaseCommands()
        link.mend()
        // What is left is half said into turns, and half left to the next one.
        const calm = random.chance(0.5)
        if (!calm && world.state(session).turn && queue().length > 0) moves['hurry']?.(random)
        else if (calm) moves['end']?.(random)
        return queue().length === 0 && got.length === deliveries(world.stream(session).events).length
      }
      await waitFor(isDone, { what: 'an empty queue' })
    },
    [Symbol.asyncDispose]: async () => {
      isOver = true
      follow.close()
      reporter[Symbol.dispose]()
      await outbox.close()
      spool.close()
      await link[Symbol.asyncDispose]()
    },
  }
}
