import { randomUUID } from 'node:crypto'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { scriptPrompt, type Step } from '@hotline/demo-agent/script'
import { openTempDir } from '@hotline/testing/temp-dir'
import { waitFor } from '@hotline/testing/wait-for'
import { describe, expect, test } from 'vitest'
import { type Bench, type BenchOptions, demoAgent, openBench } from './bench.ts'
import type { Oddness } from './odd-agent.ts'
import { profileOf } from './profile-of.ts'

const answer = (id: string, stopReason: string): string =>
  JSON.stringify({ jsonrpc: '2.0', id, result: { stopReason } })
const failure = (id: string): string => JSON.stringify({ jsonrpc: '2.0', id, error: { code: -1, message: 'forged' } })
const text = (words: string): string =>
  JSON.stringify({
    jsonrpc: '2.0',
    method: 'session/update',
    params: {
      sessionId: '$SESSION',
      update: { sessionUpdate: 'agent_message_chunk', content: { type: 'text', text: words } },
    },
  })

/** What the runner's own log says of the agent's unusable lines, once it has ended. */
async function unusedOf(bench: Bench, session: string): Promise<Record<string, number>> {
  interface Line {
    message: string
    session: string
    unused?: Record<string, number>
  }
  const ended = (): Line | undefined =>
    bench.logged
      .map((line) => JSON.parse(line) as Line)
      .find((line) => line.message === 'agent ended' && line.session === session)
  await waitFor(ended, { what: 'the line of the log' })
  return ended()?.unused ?? {}
}

/** A turn of an odd agent ends, whatever it forges; then there is another one. */
async function twoTurns(odd: Oddness, interrupts = false) {
  const bench = await openBench({ profiles: [profileOf('odd', { modes: ['ask'], ...odd })] })
  const { world, cwd } = bench
  const session = world.start('odd', { cwd, mode: 'ask', prompt: 'first' })
  for (const turns of [1, 2]) {
    if (turns === 2) world.send(session, 'message.send', { text: 'second' })
    if (interrupts) {
      await world.until(session, 'a turn', ({ turn }) => turn && world.events(session, 'message.seen').length === turns)
      world.send(session, 'session.interrupt', {})
    }
    await world.until(session, 'the end of the turn', ({ counts, turn }) => counts.turns === turns && !turn)
  }
  const ends = world.events(session, 'turn.ended').map(({ data }) => data.end)
  const native = world.state(session).native
  world.send(session, 'session.abort', {})
  await world.until(session, 'the end', ({ status }) => status === 'aborted')
  const unused = await unusedOf(bench, session)
  return { ends, native, unused, said: world.said(session), [Symbol.asyncDispose]: () => bench[Symbol.asyncDispose]() }
}

describe('answers of an agent that nobody waits for', () => {
  test('[R18] [T55] a second answer, and one to the prompt before, end no turn', async () => {
    // The turn before is answered twice more in the middle of this one.
    const say = [answer('$BEFORE', 'refusal'), failure('$BEFORE'), text('mine')]
    await using forged = await twoTurns({ say })
    expect(forged.ends).toEqual(['end', 'end'])
    expect(forged.said).toBe('mine\nmine')
    expect(forged.unused).toEqual({ 'answer to nothing': 4 })
  })

  test('[R18] [T55] the first answer counts, and those behind it do not', async () => {
    const say = [text('mine'), answer('$PROMPT', 'refusal'), answer('$PROMPT', 'max_tokens'), failure('$PROMPT')]
    await using forged = await twoTurns({ say })
    expect(forged.ends).toEqual(['refused', 'refused'])
    expect(forged.unused).toEqual({ 'answer to nothing': 6 })
  })

  test('[R18] [T55] answers after a cancel end the cancelled turn once, and not the next one', async () => {
    const onCancel = [answer('$PROMPT', 'cancelled'), answer('$PROMPT', 'end_turn'), failure('$BEFORE')]
    await using forged = await twoTurns({ say: [text('on and on')], onCancel }, true)
    expect(forged.ends).toEqual(['cancelled', 'cancelled'])
    expect(forged.unused).toEqual({ 'answer to nothing': 4 })
  })

  test('[R18] [T55] what was answered in the handshake is not answered again', async () => {
    const say = [
      JSON.stringify({ jsonrpc: '2.0', id: '$OPENED', result: { sessionId: 'stolen' } }),
      JSON.stringify({ jsonrpc: '2.0', id: '$STARTED', result: { protocolVersion: 2 } }),
      failure('$STARTED'),
    ]
    await using forged = await twoTurns({ say })
    expect(forged).toMatchObject({ ends: ['end', 'end'], native: 'odd-1', unused: { 'answer to nothing': 6 } })
  })

  test('[R18] [T55] an answer after the time for it is up ends its own turn, once', async () => {
    const onCancel = [answer('$PROMPT', 'cancelled'), answer('$PROMPT', 'end_turn'), failure('$PROMPT')]
    const odd: Oddness = { modes: ['ask'], say: [text('on and on')], onCancel, deafFor: 1 }
    await using bench = await openBench({ profiles: [profileOf('odd', odd)], interruptTimeoutMs: 200 })
    const { world, cwd } = bench
    const session = world.start('odd', { cwd, prompt: 'first' })
    await world.until(session, 'a turn', ({ turn }) => turn && world.events(session, 'message.seen').length === 1)
    world.send(session, 'session.interrupt', {})
    await world.until(session, 'the time-out', () => world.events(session, 'control.failed').length === 1)
    world.send(session, 'session.interrupt', {})
    await world.until(session, 'the end of the turn', ({ counts, turn }) => counts.turns === 1 && !turn)
    world.send(session, 'message.send', { text: 'second' })
    await world.until(session, 'a turn', ({ turn }) => turn && world.events(session, 'message.seen').length === 2)
    world.send(session, 'session.interrupt', {})
    await world.until(session, 'the end of the turn', ({ counts, turn }) => counts.turns === 2 && !turn)
    expect(world.events(session, 'turn.ended').map(({ data }) => data.end)).toEqual(['cancelled', 'cancelled'])
    world.send(session, 'session.abort', {})
    expect(await unusedOf(bench, session)).toEqual({ 'answer to nothing': 4 })
  })

  test('[R18] [T55] answers to ids that a client would have that counts from one are answers to nothing', async () => {
    const say = ['1', '2', '3', 'undefined', 'null'].flatMap((id) => [answer(id, 'refusal'), failure(id)])
    await using forged = await twoTurns({ say: [...say, text('mine')] })
    expect(forged).toMatchObject({ ends: ['end', 'end'], said: 'mine\nmine' })
  })
})

/** A runner whose agent keeps a journal of what it heard. */
async function openJournaled(options: BenchOptions = {}) {
  const temp = await openTempDir('hotline-journal-')
  const journal = join(temp.path, 'journal')
  const argv = [...demoAgent, '--pace', '0', '--journal', journal]
  const bench = await openBench({ ...options, fences: false, profiles: [{ ...profileOf('journaled', {}), argv }] })
  interface Entry {
    message?: { id?: unknown; result?: { outcome?: { outcome: string; optionId?: string } } }
    answerTo?: { method: string; toolCallId?: string }
  }
  return {
    ...bench,
    /** What the agent was answered to each of its requests, in the order in which it came. */
    answered: (): readonly (readonly [tool: string | undefined, outcome: string])[] =>
      readFileSync(journal, 'utf8')
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line) as Entry)
        .flatMap(({ message, answerTo }) => {
          const outcome = message?.result?.outcome
          // A second answer would be one to nothing.
          return outcome ? [[answerTo?.toolCallId, outcome.optionId ?? outcome.outcome] as const] : []
        }),
    [Symbol.asyncDispose]: async () => {
      await bench[Symbol.asyncDispose]()
      await temp.remove()
    },
  }
}

const ask = (tool: string): Step => ({
  do: 'ask',
  tool,
  title: tool,
  kind: 'execute',
  input: { command: tool },
  onAllow: [{ do: 'write', path: tool, content: '' }],
})

describe('answers of people that an agent does not wait for', () => {
  test('[R18] [T55] late, second, after a cancel, and to nothing: the agent hears each answer once', async () => {
    await using bench = await openJournaled()
    const { world, cwd } = bench
    const session = world.start('journaled', { cwd, approvalTimeoutMs: 1_000 })
    await world.until(session, 'active', ({ status }) => status === 'active')
    let turns = 0
    /** What a server of ours would never say of an approval that is over; all of it has been heard. */
    const forge = async (approval: string, digest: string): Promise<void> => {
      const subject = `approval:${approval}`
      for (const outcome of ['allowed', 'denied', 'allowed']) {
        world.forge(session, 'approval.resolved', subject, { approval, digest, outcome, scope: 'once' })
      }
      world.forge(session, 'approval.timed_out', subject, { approval })
      world.forge(session, 'approval.cancelled', subject, { approval, reason: 'turn_ended' })
      world.send(session, 'session.set_mode', { mode: 'ask' })
      await world.until(session, 'what comes behind it', ({ controls }) => controls.length === 0)
    }
    /** Asks, lets `settle` close it, and forges in the same turn and after it. */
    const round = async (
      tool: string,
      settle: (asked: Awaited<ReturnType<typeof world.ask>>) => Promise<void>,
      turnsAfter = 0,
    ) => {
      const go = `${tool}.go`
      world.send(session, 'message.send', { text: scriptPrompt([ask(tool), { do: 'waitFile', path: go }]) })
      const asked = await world.ask(session)
      const { approval, digest } = asked.data
      await settle(asked)
      await world.until(session, 'the answer', ({ approvals }) => approvals.length === 0)
      await forge(approval, digest)
      await bench.touch(go)
      turns += 1 + turnsAfter
      await world.until(session, 'the end of the turn', ({ counts, turn }) => counts.turns === turns && !turn)
      await forge(approval, digest)
    }
    const late = async ({ data }: Awaited<ReturnType<typeof world.ask>>): Promise<void> => {
      await waitFor(() => data.expiresAt <= new Date().toISOString(), { what: 'the deadline' })
      world.send(session, 'approval.expire', { approval: data.approval }, { kind: 'system', id: 'server' })
    }
    // That nobody answered it hears in a turn of its own: its protocol has no word for that.
    await round('late', late, 1)
    await round('twice', async (asked) => world.decide(session, asked, 'allow'))
    await round('cancelled', async () => void world.send(session, 'session.interrupt', {}))
    const digest = 'f'.repeat(64)
    await forge(randomUUID(), digest)
    const question = randomUUID()
    world.forge(session, 'question.answered', `question:${question}`, { question, action: 'accept' })
    // It has heard all of that, and another request gets its own answer.
    await round('last', async (asked) => world.decide(session, asked, 'deny'))
    expect(bench.answered()).toEqual([
      ['late', 'reject-once'],
      ['twice', 'allow-once'],
      ['cancelled', 'cancelled'],
      ['last', 'reject-once'],
    ])
    expect(['late', 'twice', 'cancelled', 'last'].map((file) => existsSync(join(cwd, file)))).toEqual([
      false,
      true,
      false,
      false,
    ])
    expect(world.state(session).status).toBe('active')
  })
})
