import { existsSync } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { EventOf } from '@hotline/protocol/events'
import type { FileChange } from '@hotline/protocol/events/turn'
import type { AgentRow } from '@hotline/protocol/http'
import { agentPackages } from '@hotline/testing/agents/agent-packages'
import type { ModelServer } from '@hotline/testing/model/model-server'
import { type Intent, scripted } from '@hotline/testing/model/script'
import { waitFor } from '@hotline/testing/wait-for'
import { afterAll, beforeAll, describe, expect, type TestContext, test } from 'vitest'
import { type AgentPlace, openAgentPlace, type RealAgent } from './agent-place.ts'
import type { AgentTalk } from './agent-talk.ts'
import { processesIn } from './processes-in.ts'
import { type AgentOutcomes, type Cell, cells, type Outcome } from './outcomes.ts'

/**
 * `goes on`: it keeps what it has of a broken answer and lets the model go on from there. `is silent`: its turn ends as if
 * all were well.
 */
type AfterFault = 'tries again' | 'gives up' | 'goes on' | 'is silent'

/** A real agent, and in what it differs. */
export interface AgentUnderTest extends RealAgent {
  /** What makes it ask before it makes a file with this text; a call of its own tool for that when absent. */
  write?: (path: string, text: string) => Intent
  /** What makes it run a command line, after it has asked; a call of its own tool for that when absent. */
  run?: (line: string) => Intent
  /** Several requests of one answer: all open together, or the next one after the answer to the last. */
  parallelAsks: 'at once' | 'one by one'
  /** True where a denial takes back whatever else is asked at the same time. */
  denialEndsTurn?: boolean
  /** What it does by itself when the model is overloaded, breaks off in the middle of an answer, or takes a call for invalid. */
  onFault: { refused: AfterFault; cut: AfterFault; invalid: AfterFault }
  /** It writes its conversation down a moment after it was said: true when these words are there, below this HOME. */
  hasWritten?: (home: string, words: string) => boolean
  /** Why something is not possible, for the table; only of what does not work. */
  cannot?: Partial<Record<Cell, string>>
}

type Begin = (prompt: string) => Promise<AgentTalk>

/**
 * What every real agent has to show over the whole path: page's commands, server, runner, adapter, the agent's own
 * program, its tools and a scripted model. Registers a group of tests; the last one compares what was seen with what
 * `docs/agents.md` is made of (`docs/agents/<agent>.json`; `--update` writes it).
 */
export function realAgentSuite(subject: AgentUnderTest): void {
  const { agent, cannot = {} } = subject
  const write = subject.write ?? ((path: string, text: string): Intent => ({ write: { path, text } }))
  const run = subject.run ?? ((line: string): Intent => ({ run: line }))
  const seen = new Map<Cell, Outcome>()
  let place: AgentPlace | { why: string }

  const saw = (cell: Cell, outcome: Outcome): void => void seen.set(cell, outcome)
  let shared: AgentTalk | undefined
  /** What a test works in; without the agent it is skipped, and says why. */
  function at(context: TestContext): { model: ModelServer; version: string; home: string; begin: Begin } {
    if ('why' in place) context.skip(place.why)
    const { model, version, home, start } = place
    // After a test that failed, the next one begins anew.
    context.onTestFailed(() => {
      shared = undefined
    })
    const begin = async (prompt: string): Promise<AgentTalk> => {
      if (!shared) return (shared = await start(prompt))
      await shared.mark()
      await shared.send(prompt)
      return shared
    }
    return { model, version, home, begin }
  }

  describe(`real agent: ${agent}`, () => {
    beforeAll(async () => {
      place = await openAgentPlace(subject)
    })
    afterAll(async () => {
      if ('why' in place) return
      await place[Symbol.asyncDispose]()
      expect(processesIn(place.work)).toEqual([])
    })

    test(`[AG1] ${agent}: what is allowed is done, and shown while it is asked`, async (context) => {
      const { begin } = at(context)
      const talk = await begin(
        scripted('make it', { text: 'I make it.', calls: [write('$CWD/a.txt', 'alpha\n')] }, { text: 'It is made.' }),
      )
      const ask = await talk.ask()
      expect(ask.body?.input).toContain('a.txt')
      expect(talk.file('a.txt')).toBeUndefined()
      await talk.decide(ask, 'allow')
      expect((await talk.turns(1)).data.end).toBe('end')
      expect(talk.file('a.txt')).toBe('alpha\n')
      expect((await talk.events('step.finished')).map(({ data }) => data.outcome)).toEqual(['done'])
      expect(await talk.said()).toMatch(/I make it\.[\s\S]*It is made\./)
      saw('allow', 'works')

      await seeDiff(talk)
      await seeUsage(talk)
    })

    test(`[AG17] [FE4] ${agent}: what it was allowed to run changes nothing outside of its fence`, async (context) => {
      const { begin, home } = at(context)
      if ('why' in place) return
      const { hotline } = place
      const outside = join(home, `escaped-${agent}`)
      const talk = await begin(
        scripted('out', { calls: [run(`echo out > ${outside}; echo in > $CWD/in.txt`)] }, { text: 'Tried.' }),
      )
      await talk.decide(await talk.ask(), 'allow')
      await talk.turns(1)
      const { fence } = await hotline.api.state(talk.session)
      const { agents } = await hotline.api.get<{ agents: AgentRow[] }>('/api/agents')
      expect(fence).toBe(agents.find((row) => row.agent === agent)?.fence)
      expect(talk.file('in.txt')).toBe('in\n')
      expect(existsSync(outside)).toBe(fence === 'none')
    })

    test(`[AG2] ${agent}: what is denied is not done, the agent hears why, and goes on`, async (context) => {
      const { begin, model } = at(context)
      const talk = await begin(
        scripted('deny me', { text: 'I try.', calls: [write('$CWD/no.txt', 'no\n')] }, { text: 'Then not.' }),
      )
      await talk.decide(await talk.ask(), 'deny', { reason: 'not on a Friday' })
      await model.called(
        ({ body, outcome }) => outcome === 'answered' && JSON.stringify(body).includes('not on a Friday'),
      )
      await talk.turns(1)
      await waitFor(async () => (await talk.said()).includes('Then not.'), { what: 'its words after the refusal' })
      expect(talk.file('no.txt')).toBeUndefined()
      expect((await talk.events('step.finished')).map(({ data }) => data.outcome)).toEqual(['denied'])
      const { capabilities } = await talk.until('rest', ({ turn }) => turn === undefined)
      const native = capabilities?.denyReason === true
      expect(await talk.turnCount()).toBe(native ? 1 : 2)
      saw('deny', native ? 'works' : 'works: the reason goes on as the next message')
    })

    test(`[AG3] ${agent}: a changed input is what runs, or cannot be chosen`, async (context) => {
      const { begin } = at(context)
      const talk = await begin(scripted('change me', { calls: [write('$CWD/b.txt', 'beta\n')] }, { text: 'Changed.' }))
      const ask = await talk.ask()
      const input = ask.body?.input?.replaceAll('beta', 'gamma') ?? ''
      expect(input).toContain('gamma')
      if (ask.data.verdicts.includes('modify')) {
        await talk.decide(ask, 'modify', { input })
        await talk.turns(1)
        expect(talk.file('b.txt')).toBe('gamma\n')
        saw('modify', 'works')
      } else {
        await expect(talk.decide(ask, 'modify', { input })).rejects.toThrow()
        await talk.decide(ask, 'deny')
        await talk.turns(1)
        expect(talk.file('b.txt')).toBeUndefined()
        saw('modify', `not possible: ${reasonOf('modify')}`)
      }
    })

    test(`[AG4] ${agent}: each of two requests gets its own answer`, async (context) => {
      const { begin } = at(context)
      const calls = [write('$CWD/one.txt', '1\n'), write('$CWD/two.txt', '2\n')]
      const talk = await begin(scripted('two at once', { calls }, { text: 'Both.' }))
      const allowed = async (ask: EventOf<'approval.requested'>): Promise<void> => {
        await talk.decide(ask, 'allow')
        await waitFor(() => talk.file('one.txt') === '1\n', { what: 'the file that was allowed' })
      }
      if (subject.parallelAsks === 'at once') {
        const asks = await talk.asks(2)
        const two = asks.find(({ body }) => body?.input?.includes('two.txt'))
        const one = asks.find(({ body }) => body?.input?.includes('one.txt'))
        if (!one || !two) throw new Error('the requests do not say what they are about')
        // Not in the order in which it asked, where a denial leaves the other one alone.
        if (subject.denialEndsTurn) await allowed(one)
        await talk.decide(two, 'deny')
        if (!subject.denialEndsTurn) await allowed(one)
      } else {
        const first = await talk.ask()
        expect(first.body?.input).toContain('one.txt')
        await talk.decide(first, 'allow')
        const isNext = async (): Promise<boolean> => (await talk.ask()).data.approval !== first.data.approval
        await waitFor(isNext, { what: 'the second request' })
        await talk.decide(await talk.ask(), 'deny')
      }
      await talk.turns(1)
      expect([talk.file('one.txt'), talk.file('two.txt')]).toEqual(['1\n', undefined])
      const remark = subject.denialEndsTurn ? 'works: a denial takes back what else it asks' : 'works'
      saw('parallel', subject.parallelAsks === 'at once' ? remark : 'works: it asks one after the other')
    })

    test(`[AG5] ${agent}: an interrupt ends the turn and what is open, also in the middle of an answer`, async (context) => {
      const { begin, model } = at(context)
      const talk = await begin(
        scripted('stop while asking', { calls: [write('$CWD/c.txt', 'c\n')] }, { text: 'Never.' }),
      )
      const { data } = await talk.ask()
      await talk.interrupt()
      expect((await talk.turns(1)).data.end).toBe('cancelled')
      expect(await talk.events('approval.cancelled')).toMatchObject([
        { data: { approval: data.approval, reason: 'turn_ended' } },
      ])
      expect(talk.file('c.txt')).toBeUndefined()

      await talk.send(scripted('stop while talking', { text: 'words and words and words', hang: 'middle' }))
      await talk.until('words', ({ texts }) => (texts ?? []).length > 0)
      await talk.interrupt()
      expect((await talk.turns(2)).data.end).toBe('cancelled')
      await model.called(({ words, outcome }) => words.includes('stop while talking') && outcome === 'aborted')

      await talk.send(scripted('and on', { text: 'On we go.' }))
      expect((await talk.turns(3)).data.end).toBe('end')
      expect(await talk.said()).toContain('On we go.')
      saw('cancel', 'works')
    })

    test(`[AG6] ${agent}: a message while it works waits, and comes after`, async (context) => {
      const { begin, model } = at(context)
      const talk = await begin(scripted('busy', { calls: [write('$CWD/d.txt', 'd\n')] }, { text: 'First is done.' }))
      const ask = await talk.ask()
      await talk.send(scripted('meanwhile', { text: 'Second is done.' }))
      await talk.until('a waiting message', ({ queue }) => queue.length === 1)
      expect(model.calls.some(({ words }) => words.includes('meanwhile'))).toBe(false)
      await talk.decide(ask, 'allow')
      await talk.turns(2)
      expect(await talk.said()).toMatch(/First is done\.[\s\S]*Second is done\./)
      expect(talk.file('d.txt')).toBe('d\n')
    })

    test(`[AG15] ${agent}: a message that is sent now is read in the turn that runs, or cannot be sent so`, async (context) => {
      const { begin, model } = at(context)
      const talk = await begin(
        scripted('in the middle', { calls: [write('$CWD/g.txt', 'g\n')] }, { text: 'On my way.' }),
      )
      const ask = await talk.ask()
      const { capabilities } = await talk.api.state(talk.session)
      const text = 'turn left at the windmill'
      const sent = talk.api.command(talk.stream, 'message.send', { text, now: true })
      if (capabilities?.steer !== true) {
        await expect(sent).rejects.toThrow()
        await talk.decide(ask, 'allow')
        await talk.turns(1)
        return saw('steer', `not possible: ${cannot.steer ?? 'it takes nothing in the middle of a turn'}`)
      }
      await sent
      await talk.until('it to be taken', ({ queue }) => queue.length === 0)
      await talk.decide(ask, 'allow')
      await talk.turns(1)
      // The very call that brings the result of its tool brings the message.
      const told = await model.called(({ kind, body }) => kind === 'turn' && JSON.stringify(body).includes(text))
      expect(told.step).toBe(1)
      expect(await talk.said()).toContain('On my way.')
      expect(await talk.turnCount()).toBe(1)
      const [message] = (await talk.events('message.posted')).filter(({ body }) => body?.text === text)
      const delivered = (await talk.events('message.delivered')).filter(
        ({ data }) => data.message === message?.data.message,
      )
      const [turn] = await talk.events('turn.started')
      expect(delivered.map(({ data }) => data.turn)).toEqual([turn?.data.turn])
      expect((await talk.events('message.seen')).map(({ data }) => data.message)).toContain(message?.data.message)
      saw('steer', 'works')
    })

    test(`[AG7] ${agent}: killed with an open request, it is taken up again with all that was said`, async (context) => {
      const { begin, model, home } = at(context)
      const talk = await begin(
        scripted('before the kill', { text: 'I was here.', calls: [write('$CWD/e.txt', 'e\n')] }, { text: 'Never.' }),
      )
      const { data } = await talk.ask()
      const { pid } = await talk.until('a process', (state) => state.pid)
      const { hasWritten } = subject
      if (hasWritten) await waitFor(() => hasWritten(home, 'before the kill'), { what: 'what the agent writes down' })
      process.kill(pid ?? 0, 'SIGKILL')
      await talk.until('interrupted', ({ status }) => status === 'interrupted')
      // Where a program around the agent was killed, the agent itself may still have ended its turn.
      expect(await talk.events('approval.cancelled')).toMatchObject([
        { data: { approval: data.approval, reason: expect.stringMatching(/agent_lost|turn_ended/) as string } },
      ])
      await waitFor(() => processesIn(talk.cwd).length === 0, { what: 'what it had started to be gone' })
      const { capabilities, mode } = await talk.api.state(talk.session)
      const resumed = talk.api.command(talk.stream, 'session.resume', {})
      if (capabilities?.resume !== true) {
        await expect(resumed).rejects.toThrow()
        shared = undefined
        return saw('resume', `not possible: ${reasonOf('resume')}`)
      }
      await resumed
      await talk.until('interrupted', ({ status }) => status === 'active')
      await talk.send(scripted('after the kill', { text: 'Here again.' }))
      await waitFor(async () => (await talk.said()).includes('Here again.'), { what: 'its words', deadlineMs: 90_000 })
      const after = await model.called(({ words, kind }) => kind === 'turn' && words.includes('after the kill'))
      expect(JSON.stringify(after.body)).toContain('before the kill')
      expect(talk.file('e.txt')).toBeUndefined()

      // It asks as before: some forget their mode.
      expect((await talk.api.state(talk.session)).mode).toBe(mode)
      await talk.until('rest', ({ turn }) => turn === undefined)
      await talk.mark()
      await talk.send(scripted('and again', { calls: [write('$CWD/f.txt', 'f\n')] }, { text: 'Asked again.' }))
      await talk.decide(await talk.ask(), 'allow')
      await talk.turns(1)
      expect(talk.file('f.txt')).toBe('f\n')
      saw('resume', 'works')
    })

    test(`[AG8] ${agent}: a model that is overloaded or breaks off ends no session, and is told`, async (context) => {
      const { begin } = at(context)
      const talk = await begin(scripted('overloaded', { status: 529, text: 'After the refusal.' }))
      await expectFault(talk, 1, subject.onFault.refused, 'After the refusal.')
      await talk.send(scripted('broken off', { cut: 'middle', text: 'Whole at last.', pieces: 4 }))
      await expectFault(talk, 2, subject.onFault.cut, 'Whole at last.')
      await talk.send(scripted('not understood', { status: 400, times: 100, text: 'Never said.' }))
      await expectFault(talk, 3, subject.onFault.invalid, '')
      expect(await talk.said()).not.toContain('Never said.')
      await talk.send(scripted('and now', { text: 'All is well.' }))
      expect((await talk.turns(4)).data.end).toBe('end')
      expect(await talk.said()).toContain('All is well.')
    })

    test(`[AG9] ${agent}: the table of the documentation says what was seen`, async (context) => {
      const { version } = at(context)
      const [name] = subject.packages
      if (name === undefined) throw new Error('an agent without a package')
      const rows = cells.map((cell) => [cell, seen.get(cell) ?? 'not seen in this run'] as const)
      const outcomes = { agent, package: agentPackages[name].package, version, cells: Object.fromEntries(rows) }
      await expect(`${JSON.stringify(outcomes satisfies Omit<AgentOutcomes, 'cells'>, null, 2)}\n`).toMatchFileSnapshot(
        join(import.meta.dirname, `../../../docs/agents/${agent}.json`),
      )
    })
  })

  function reasonOf(cell: Cell): string {
    const why = cannot[cell]
    if (why === undefined) throw new Error(`${agent} cannot ${cell}, and nobody has said why`)
    return why
  }

  /** An edit of a file: what is taken away and put there is shown with the request, before anybody allows it. */
  async function seeDiff(talk: AgentTalk): Promise<void> {
    const path = join(talk.cwd, 'lines.txt')
    await writeFile(path, 'first\nsecond\nthird\n')
    await talk.send(
      scripted(
        'change it',
        { calls: [{ read: path }] },
        { calls: [{ edit: { path, from: 'second\n', to: 'zweite\n' } }] },
        { text: 'It is changed.' },
      ),
    )
    const ask = await talk.ask()
    const before = await changeOf(talk)
    await talk.decide(ask, 'allow')
    await talk.turns(2)
    expect(talk.file('lines.txt')).toBe('first\nzweite\nthird\n')
    const change = before ?? (await changeOf(talk))
    if (!change) return saw('diffs', `not possible: ${reasonOf('diffs')}`)
    expect(change.oldText).toContain('second')
    const remarks = [
      ...(before ? [] : ['only when it is done']),
      ...(change.oldText?.includes('first') ? [] : ['the changed lines alone']),
    ]
    saw('diffs', remarks.length === 0 ? 'works' : `works: ${remarks.join(', ')}`)
  }

  /** The change of the file as the agent has shown it so far. */
  async function changeOf(talk: AgentTalk): Promise<FileChange | undefined> {
    const steps = [...(await talk.events('step.started')), ...(await talk.events('step.progressed'))]
    const changes = steps.flatMap(({ body }) => body?.changes ?? [])
    return changes.findLast(({ path, newText }) => path.endsWith('lines.txt') && newText.includes('zweite'))
  }

  async function seeUsage(talk: AgentTalk): Promise<void> {
    const { usage } = await talk.until('rest', ({ turn }) => turn === undefined)
    const told = [
      ...(usage?.inputTokens === undefined && usage?.contextUsed === undefined ? [] : ['tokens']),
      ...(usage?.contextSize === undefined ? [] : ['room']),
      ...(usage?.cost === undefined ? [] : ['cost']),
    ]
    saw('usage', told.length === 0 ? `not possible: ${reasonOf('usage')}` : `works: ${told.join(', ')}`)
  }

  async function expectFault(talk: AgentTalk, turn: number, does: AfterFault, words: string): Promise<void> {
    const { data, body } = await talk.turns(turn)
    if (does === 'tries again') {
      expect(data.end).toBe('end')
      expect(await talk.said()).toContain(words)
    } else if (does === 'goes on') {
      expect(data.end).toBe('end')
      expect(await talk.said()).toContain(words.slice(0, words.length / 2))
    } else if (does === 'is silent') {
      expect(data.end).toBe('end')
    } else {
      expect(data.end).toBe('error')
      expect(body?.error ?? '').not.toBe('')
    }
  }
}
