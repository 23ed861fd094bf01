import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { type Step, scriptPrompt } from '@hotline/demo-agent/script'
import type { CommandInput } from '@hotline/protocol/command'
import { limits } from '@hotline/protocol/limits'
import { waitFor } from '@hotline/testing/wait-for'
import { expect, test } from 'vitest'
import { openBench } from './bench.ts'
import { profileOf } from './profile-of.ts'

const say = (text: string): Step => ({ do: 'say', text })

test('[R1] messages reach the agent one at a time, in the order of the queue, each claimed before it is handed over', async () => {
  await using bench = await openBench()
  const { world, cwd } = bench
  const session = world.start('demo', { cwd, prompt: scriptPrompt([{ do: 'waitFile', path: 'go' }, say('first')]) })
  await world.until(session, 'the first turn', ({ turn }) => turn)
  const second = world.send(session, 'message.send', { text: scriptPrompt([say('second')]) })
  const third = world.send(session, 'message.send', { text: scriptPrompt([say('third')]) })
  const gone = world.send(session, 'message.send', { text: scriptPrompt([say('never')]) })
  world.send(session, 'message.reorder', { order: [third, second, gone] })
  world.send(session, 'message.withdraw', { message: gone })
  world.send(session, 'message.edit', { message: second, text: scriptPrompt([say('second, edited')]) })
  await bench.touch('go')
  await world.until(session, 'three turns', ({ counts, turn }) => counts.turns === 3 && !turn)
  expect(world.said(session)).toBe('first\nthird\nsecond, edited')
  const types = world
    .types(session)
    .filter((type) => ['message.delivered', 'turn.started', 'turn.ended'].includes(type))
  expect(types).toEqual(Array.from({ length: 3 }, () => ['message.delivered', 'turn.started', 'turn.ended']).flat())
  expect(world.events(session, 'message.seen')).toHaveLength(3)
})

test('[R2] a message that was withdrawn before it was claimed never reaches the agent', async () => {
  await using bench = await openBench()
  const { world, link, cwd } = bench
  const session = world.start('demo', { cwd })
  await world.until(session, 'an active session', ({ status }) => status === 'active')
  link.cut()
  // The runner has not seen it, but the claim that it would make is on its way after the withdrawal.
  const message = world.send(session, 'message.send', { text: scriptPrompt([say('withdrawn')]) })
  link.holdCommands()
  link.mend()
  await waitFor(() => link.held.some((data) => data.includes('message.delivered')), { what: 'a claim' })
  world.send(session, 'message.withdraw', { message })
  link.releaseCommands()
  world.send(session, 'message.send', { text: scriptPrompt([say('kept')]) })
  await world.until(session, 'one turn', ({ counts, turn }) => counts.turns === 1 && !turn)
  expect(world.said(session)).toBe('kept')
  expect(world.events(session, 'message.delivered')).toHaveLength(1)
})

test('[R3] two asks at once are two approvals, and each gets its own answer', async () => {
  await using bench = await openBench()
  const { world, cwd } = bench
  const ask = (name: string) =>
    ({
      title: `Write ${name}`,
      kind: 'edit',
      input: { path: name, content: name },
      onAllow: [{ do: 'write', path: name, content: name }],
    }) as const
  const session = world.start('demo', {
    cwd,
    prompt: scriptPrompt([
      {
        do: 'askTwo',
        asks: [
          { ...ask('one.txt'), onAllow: [...ask('one.txt').onAllow] },
          { ...ask('two.txt'), onAllow: [...ask('two.txt').onAllow] },
        ],
      },
    ]),
  })
  await world.until(session, 'two asks', ({ approvals }) => approvals.length === 2)
  const [one, two] = world.events(session, 'approval.requested')
  if (!one || !two) throw new Error('two asks')
  world.decide(session, two, 'allow')
  world.decide(session, one, 'deny')
  await world.until(session, 'the end', ({ counts, turn }) => counts.turns === 1 && !turn)
  expect([existsSync(join(cwd, 'one.txt')), existsSync(join(cwd, 'two.txt'))]).toEqual([false, true])
  expect(
    world
      .events(session, 'step.finished')
      .map(({ data }) => data.outcome)
      .toSorted(),
  ).toEqual(['denied', 'done'])
  expect(world.events(session, 'approval.dispatched')).toHaveLength(2)
})

test('[R4] the reason of a refusal goes to an agent that cannot hear it as the next prompt, marked, and stands in the log', async () => {
  await using bench = await openBench()
  const { world, cwd } = bench
  const session = world.start('demo', {
    cwd,
    prompt: scriptPrompt([
      { do: 'ask', title: 'Drop the table', kind: 'execute', input: { command: 'drop' } },
      say('as you like'),
    ]),
  })
  world.decide(session, await world.ask(session), 'deny', 'Use a migration instead.')
  await world.until(session, 'a second turn', ({ counts, turn }) => counts.turns === 2 && !turn)
  expect(world.said(session)).toContain('Use a migration instead.')
  const [sent] = world.events(session, 'output.appended').filter(({ data }) => data.source === 'log')
  expect(sent?.body?.text).toContain(
    '[Hotline] "Drop the table" was refused. The person says: Use a migration instead.',
  )
  expect(world.events(session, 'turn.started').map(({ data }) => data.message === undefined)).toEqual([false, true])
})

test('[R4] the reason is not sent where the person has written already', async () => {
  await using bench = await openBench()
  const { world, cwd } = bench
  const session = world.start('demo', {
    cwd,
    prompt: scriptPrompt([
      { do: 'ask', title: 'Drop it', kind: 'execute', input: { command: 'drop' } },
      { do: 'waitFile', path: 'go' },
    ]),
  })
  world.decide(session, await world.ask(session), 'deny', 'No.')
  world.send(session, 'message.send', { text: scriptPrompt([say('what the person wrote')]) })
  await bench.touch('go')
  await world.until(session, 'two turns', ({ counts, turn }) => counts.turns === 2 && !turn)
  expect(world.said(session)).toBe('what the person wrote')
  expect(world.printed(session, 'log')).toBe('')
})

test.each(['withdraw', 'await'] as const)(
  '[R5] stopping a turn answers its open asks with "cancelled" (an agent that would %s)',
  async (whenCancelled) => {
    await using bench = await openBench()
    const { world, cwd } = bench
    const record = 'record'
    const session = world.start('demo', {
      cwd,
      prompt: scriptPrompt([
        {
          do: 'ask',
          title: 'Go on',
          kind: 'execute',
          input: { command: 'x' },
          whenCancelled,
          record,
          onAllow: [{ do: 'write', path: 'ran', content: '' }],
        },
      ]),
    })
    const ask = await world.ask(session)
    world.send(session, 'session.interrupt', {})
    await world.until(
      session,
      'the end of the turn',
      ({ counts, turn, controls }) => counts.turns === 1 && !turn && controls.length === 0,
    )
    expect(world.events(session, 'turn.ended').map(({ data }) => data.end)).toEqual(['cancelled'])
    expect(world.events(session, 'approval.cancelled').map(({ data }) => data.reason)).toEqual(['turn_ended'])
    expect(world.events(session, 'control.done').map(({ data }) => data.action)).toEqual(['interrupt'])
    expect(() => world.decide(session, ask, 'allow')).toThrow('approval_expired')
    expect(existsSync(join(cwd, 'ran'))).toBe(false)
    expect(readFileSync(join(cwd, record), 'utf8')).toContain('"outcome":"cancelled"')
    world.send(session, 'message.send', { text: scriptPrompt([say('still here')]) })
    await world.until(session, 'another turn', ({ counts, turn }) => counts.turns === 2 && !turn)
  },
)

test('[R29] an agent that does not stop its turn is said to be not stopping, works on, and can be ended', async () => {
  await using bench = await openBench({ interruptTimeoutMs: 300 })
  const { world, cwd } = bench
  const prompt = scriptPrompt([say('deaf'), { do: 'hang', deaf: true }])
  const session = world.start('demo', { cwd, prompt })
  await world.until(session, 'the turn', ({ turn }) => turn && world.events(session, 'message.seen').length === 1)
  for (const times of [1, 2]) {
    world.send(session, 'session.interrupt', {})
    await world.until(session, 'the failure', () => world.events(session, 'control.failed').length === times)
    expect(world.state(session)).toMatchObject({ status: 'active', turn: expect.anything() as unknown, controls: [] })
  }
  const [failed] = world.events(session, 'control.failed')
  expect(failed?.data.action).toBe('interrupt')
  expect(failed?.body?.reason).toMatch(
    /^The agent has not stopped within 0\.\d seconds, and nothing that it has started in this turn is running\. End the session to stop it\.$/,
  )
  expect(world.types(session)).not.toContain('control.done')
  expect(world.types(session)).not.toContain('turn.ended')
  world.send(session, 'session.abort', {})
  await world.until(session, 'the end', ({ status }) => status === 'aborted')
})

test('[R29] one that stops in time is not accused later', async () => {
  await using bench = await openBench({ interruptTimeoutMs: 4_000 })
  const { world, cwd } = bench
  const session = world.start('demo', { cwd, prompt: scriptPrompt([say('well'), { do: 'hang' }]) })
  await world.until(session, 'the turn', ({ turn }) => turn && world.events(session, 'message.seen').length === 1)
  world.send(session, 'session.interrupt', {})
  await world.until(session, 'the end of the turn', ({ counts, turn }) => counts.turns === 1 && !turn)
  expect(world.events(session, 'control.done')).toHaveLength(1)
  world.send(session, 'message.send', { text: scriptPrompt([{ do: 'wait', ms: 4_200 }, say('later')]) })
  await world.until(session, 'a turn that outlasts the time', ({ counts, turn }) => counts.turns === 2 && !turn)
  expect(world.events(session, 'control.failed')).toEqual([])
})

test('[R6] [AQ9] an approval that nobody answered in time is a refusal for the agent, in these words, and not a reason', async () => {
  await using bench = await openBench()
  const { world, cwd } = bench
  const session = world.start('demo', {
    cwd,
    approvalTimeoutMs: 1_000,
    prompt: scriptPrompt([{ do: 'ask', title: 'Go on', kind: 'execute', input: { command: 'x' }, record: 'record' }]),
  })
  const ask = await world.ask(session)
  await waitFor(() => ask.data.expiresAt <= new Date().toISOString(), { what: 'the deadline' })
  world.send(session, 'approval.expire', { approval: ask.data.approval }, { kind: 'system', id: 'server' })
  await world.until(session, 'the end', ({ counts, turn }) => counts.turns === 2 && !turn)
  expect(readFileSync(join(cwd, 'record'), 'utf8')).toContain('"outcome":"deny"')
  expect(world.events(session, 'approval.dispatched')).toHaveLength(1)
  expect(world.state(session).approvals).toEqual([])
  expect(world.said(session)).toContain('"Go on" was refused. Nobody answered in time. No person has refused it.')
})

test('[AQ9] an agent whose request is one too many is told that nobody was asked, and its people see that it was', async () => {
  await using bench = await openBench()
  const { world, cwd } = bench
  const session = world.start('demo', { cwd })
  world.stream(session).approvalLimits = { open: 0, waiting: 0 }
  const ask = { do: 'ask', title: 'Drop', kind: 'execute', input: { command: 'drop' }, record: 'record' } as const
  world.send(session, 'message.send', { text: scriptPrompt([ask]) })
  await world.until(session, 'the end', ({ counts, turn }) => counts.turns === 2 && !turn)
  expect(readFileSync(join(cwd, 'record'), 'utf8')).toContain('"outcome":"deny"')
  expect(world.events(session, 'approval.refused')).toMatchObject([
    { data: { reason: 'queue_full', limit: 0 }, body: { title: 'Drop' } },
  ])
  expect(world.said(session)).toContain('"Drop" was refused. Nobody was asked: too many requests')
  expect(world.said(session)).not.toContain('The person says')
})

test('[R7] an answer that does not fit the bytes that were shown is refused at dispatch, and the agent is told no', async () => {
  await using bench = await openBench()
  const { world, cwd, link } = bench
  const session = world.start('demo', {
    cwd,
    prompt: scriptPrompt([{ do: 'ask', title: 'Go on', kind: 'execute', input: { command: 'x' }, record: 'record' }]),
  })
  const ask = await world.ask(session)
  link.forge((event) =>
    event.type === 'approval.resolved' ? { ...event, data: { ...event.data, digest: 'f'.repeat(64) } } : event,
  )
  world.decide(session, ask, 'allow')
  await world.until(session, 'the end', ({ counts, turn }) => counts.turns === 1 && !turn)
  expect(world.events(session, 'approval.dispatch_refused').map(({ data }) => data.reason)).toEqual(['digest_mismatch'])
  expect(world.events(session, 'approval.dispatched')).toEqual([])
  expect(readFileSync(join(cwd, 'record'), 'utf8')).toContain('"outcome":"deny"')
})

test('[R8] an ask that the log does not take is refused, never left hanging', async () => {
  await using bench = await openBench()
  const { world, cwd } = bench
  await bench.script([
    { do: 'ask', title: 'Too much', kind: 'execute', input: { list: Array(330_000).fill(1) }, record: 'record' },
    say('on'),
  ])
  const session = world.start('scripted', { cwd, prompt: 'play' })
  await world.until(session, 'the end', ({ counts, turn }) => counts.turns === 1 && !turn)
  expect(world.events(session, 'approval.requested')).toEqual([])
  expect(world.events(session, 'step.finished').map(({ data }) => data.outcome)).toEqual(['denied'])
  expect(world.printed(session, 'log')).toContain('cannot be shown whole')
})

test('[R28] an input that is too long for an event is asked whole, beside it, over a lost connection too', async () => {
  await using bench = await openBench()
  const { world, link, cwd } = bench
  const command = 'x'.repeat(70_000)
  await bench.script([
    { do: 'ask', title: 'Much', kind: 'execute', input: { command }, record: 'record' },
    { do: 'ask', title: 'Much more', kind: 'execute', input: { command }, record: 'record' },
    say('on'),
  ])
  const session = world.start('scripted', { cwd, prompt: 'play' })
  const ask = await world.ask(session)
  expect(ask.body?.input).toBeUndefined()
  expect(world.content.get(ask.body?.content?.digest ?? '')).toContain(command)
  link.cut()
  world.decide(session, ask, 'allow')
  link.mend()
  await world.until(session, 'the second ask', ({ resolved }) => resolved.length === 1)
  const next = await world.ask(session)
  world.decide(session, next, 'deny')
  await world.until(session, 'the end', ({ counts, turn }) => counts.turns === 1 && !turn)
  expect(world.events(session, 'approval.dispatched').map(({ data }) => data.digest)).toEqual([
    ask.data.digest,
    next.data.digest,
  ])
})

test('[R28] what is small but written at length is asked as well', async () => {
  await using bench = await openBench()
  const { world, cwd } = bench
  const odd = '\u0001'.repeat(50_000)
  await bench.script([
    { do: 'ask', title: 'Odd', kind: 'edit', input: { path: 'odd', content: odd }, record: 'record' },
    say('on'),
  ])
  const session = world.start('scripted', { cwd, prompt: 'play' })
  const ask = await world.ask(session)
  expect(world.content.get(ask.body?.content?.digest ?? '')).toContain('\\u0001')
  expect(Buffer.byteLength(JSON.stringify(ask))).toBeLessThan(limits.eventBytes)
  world.decide(session, ask, 'allow')
  await world.until(session, 'the end', ({ counts, turn }) => counts.turns === 1 && !turn)
  expect(world.events(session, 'approval.dispatched').length).toBe(1)
})

test('questions go to people and answers back to the agent', async () => {
  await using bench = await openBench()
  const { world, cwd } = bench
  const schema = { properties: { colour: { type: 'string', enum: ['red', 'blue'] } } }
  const session = world.start('demo', {
    cwd,
    prompt: scriptPrompt([
      { do: 'question', message: 'Which colour?', schema, record: 'record' },
      say('You said {{answer}}.'),
    ]),
  })
  await world.until(session, 'a question', ({ questions }) => questions.length === 1)
  const [asked] = world.events(session, 'question.asked')
  expect(asked?.body).toMatchObject({ text: 'Which colour?', schema })
  world.send(session, 'question.answer', {
    question: asked?.data.question ?? '',
    action: 'accept',
    content: { colour: 'blue' },
  })
  await world.until(session, 'the end', ({ counts, turn }) => counts.turns === 1 && !turn)
  expect(world.said(session)).toBe('You said blue.')
})

test('the mode is changed where a person wants it, and a mode that the agent refuses is told', async () => {
  await using bench = await openBench()
  const { world, cwd } = bench
  const session = world.start('demo', { cwd })
  await world.until(session, 'an active session', ({ status }) => status === 'active')
  world.send(session, 'session.set_mode', { mode: 'auto-edit' })
  await world.until(session, 'the other mode', ({ mode, controls }) => mode === 'auto-edit' && controls.length === 0)
  expect(world.events(session, 'control.done').map(({ data }) => data.action)).toEqual(['set_mode'])
})

test.each([
  ['session.abort', 'aborted'],
  ['session.complete', 'completed'],
] as const)('%s ends the agent and everything that it started, then the session is %s', async (type, ending) => {
  await using bench = await openBench({ stopGraceMs: 300 })
  const { world, cwd, guard } = bench
  const session = world.start('demo', {
    cwd,
    prompt: scriptPrompt([
      { do: 'spawnChild', argv: ['sleep', '1000'] },
      { do: 'spawnChild', argv: ['setsid', 'sleep', '1001'], detached: true },
      { do: 'hang', stubborn: true },
    ]),
  })
  await waitFor(
    () => {
      guard.noteDescendants()
      return guard.findSurvivors().filter(({ command }) => /^(setsid )?sleep 100[01]$/.test(command)).length >= 2
    },
    { what: 'the agent and both children' },
  )
  world.send(session, type, {})
  await world.until(session, 'the end', ({ status }) => status === ending)
  expect(guard.findSurvivors()).toEqual([])
  expect(world.types(session).slice(-3)).toEqual(['control.done', 'turn.ended', 'session.state_changed'])
  await waitFor(() => bench.supervisor.sessions.length === 0, { what: 'an actor that is done' })
})

test('[R9] an agent that is killed leaves an interrupted session with the signal, within two seconds, and can be taken up again', async () => {
  await using bench = await openBench()
  const { world, cwd } = bench
  const start = (): string =>
    world.start('demo', {
      cwd,
      prompt: scriptPrompt([say('hello'), { do: 'ask', title: 'Go', kind: 'execute', input: {} }]),
    })
  const sessions = [start(), start(), start()]
  // The quickest of three counts: how long the machine is busy with something else is not ours.
  const tookMs: number[] = []
  for (const one of sessions) {
    await world.ask(one)
    const killedAt = performance.now()
    process.kill(world.state(one).pid ?? 0, 'SIGKILL')
    await world.until(one, 'an interrupted session', ({ status }) => status === 'interrupted')
    tookMs.push(performance.now() - killedAt)
  }
  expect(Math.min(...tookMs)).toBeLessThan(2_000)
  const [session = ''] = sessions
  expect(world.state(session)).toMatchObject({
    exit: { code: null, signal: 'SIGKILL' },
    reason: 'agent_exited',
    turn: undefined,
  })
  expect(world.events(session, 'approval.cancelled').map(({ data }) => data.reason)).toEqual(['agent_lost'])
  world.send(session, 'message.send', { text: scriptPrompt([say('back again')]) })
  world.send(session, 'session.resume', {})
  await world.until(
    session,
    'another turn',
    ({ counts, turn, status }) => counts.turns === 2 && !turn && status === 'active',
  )
  expect(world.said(session)).toBe('hello\nback again')
  expect(world.state(session)).toMatchObject({ lease: { fence: 2 }, mode: 'ask', controls: [] })
})

test('an agent that ends by itself tells its exit code', async () => {
  await using bench = await openBench()
  const { world, cwd } = bench
  const session = world.start('demo', { cwd, prompt: scriptPrompt([{ do: 'die', code: 7 }]) })
  await world.until(session, 'an interrupted session', ({ status }) => status === 'interrupted')
  expect(world.state(session)).toMatchObject({ exit: { code: 7, signal: null }, reason: 'agent_exited' })
})

test.each<[string, string, Partial<CommandInput<'session.start'>>, string]>([
  ['no such agent', 'nothing', { runner: 'r1' }, 'has no agent "nothing"'],
  ['no such folder', 'demo', { cwd: '/nowhere/at/all' }, 'no folder "/nowhere/at/all"'],
  ['a file as folder', 'demo', { cwd: '/etc/passwd' }, 'no folder'],
  ['no folder named', 'odd', {}, 'Choose the folder'],
  ['no command', 'command', { cwd: '/tmp' }, 'no command to run'],
  [
    'a missing program',
    'command',
    { cwd: '/tmp', command: ['no-such-program-here'] },
    'no program "no-such-program-here"',
  ],
  ['a mode that it has not', 'demo', { mode: 'yolo' }, 'no mode "yolo"'],
  ['an agent that dies', 'dies', { cwd: '/tmp' }, 'Its last words: the config file is broken'],
])('a session that cannot start fails and says why: %s', async (_, agent, more, note) => {
  await using bench = await openBench({ profiles: [profileOf('odd', {}), profileOf('dies', { dieAtStart: true })] })
  const { world } = bench
  const session = world.start(agent, more)
  await world.until(session, 'a failed session', ({ status }) => status === 'failed')
  expect(world.events(session, 'session.state_changed').at(-1)?.body?.note).toContain(note)
  expect(world.state(session).reason).toBe('start_failed')
})

test('the demonstration gets a folder of its own where none is named', async () => {
  await using bench = await openBench()
  const { world, dataDir } = bench
  const session = world.start('demo', { prompt: scriptPrompt([{ do: 'write', path: 'here', content: 'x' }]) })
  await world.until(session, 'the end', ({ counts, turn }) => counts.turns === 1 && !turn)
  expect(existsSync(join(dataDir, 'scratch', session, 'here'))).toBe(true)
})

test('long messages are split, usage, plan and thoughts are told, stderr is apart', async () => {
  await using bench = await openBench()
  const { world, cwd } = bench
  await bench.script([
    { do: 'think', text: 'Let me see.', chunks: 3 },
    { do: 'plan', entries: [{ content: 'One', status: 'completed' }, { content: 'Two' }] },
    { do: 'usage', used: 10, size: 100, cost: { amount: 0.5, currency: 'USD' } },
    { do: 'stderr', text: 'a warning\n' },
    { do: 'say', text: 'x'.repeat(120_000), chunks: 400 },
  ])
  const session = world.start('scripted', { cwd, prompt: 'play' })
  await world.until(session, 'the end', ({ counts, turn }) => counts.turns === 1 && !turn)
  const said = world.events(session, 'message.completed')
  expect(said.map(({ data }) => data.chars <= 50_000)).toEqual([true, true, true])
  expect(said.map(({ body }) => body?.text ?? '').join('')).toBe('x'.repeat(120_000))
  for (const { data, body } of said) {
    const deltas = world.events(session, 'message.delta').filter((delta) => delta.data.message === data.message)
    expect(deltas.map((delta) => delta.body?.text ?? '').join('')).toBe(body?.text)
  }
  expect(world.events(session, 'thought.completed').map(({ body }) => body?.text)).toEqual(['Let me see.'])
  expect(world.events(session, 'plan.updated').map(({ data }) => data)).toEqual([{ entries: 2, done: 1 }])
  expect(world.events(session, 'usage.reported').map(({ data }) => data)).toEqual([
    { contextUsed: 10, contextSize: 100, cost: { amount: 0.5, currency: 'USD' } },
  ])
  expect(world.printed(session, 'stderr')).toBe('a warning\n')
})
