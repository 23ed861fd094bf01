import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { Capabilities } from '@hotline/protocol/capabilities'
import type { AgentDriver, AgentEvent, AgentSession, StartSpec } from '@hotline/runner/adapters/adapter'
import type { Holder } from '@hotline/runner/process/holder'
import { describe, expect, test } from 'vitest'
import { guardChildren } from './child-guard.ts'
import { openTempDir } from './temp-dir.ts'
import { waitFor } from './wait-for.ts'

/** How an agent of one kind is made to do what the contract speaks of. Files are in its folder. */
export interface AdapterUnderTest {
  driver: AgentDriver
  openHolder(folder: string): Holder
  /** A start in this folder; `missing`: of a program that is not there. */
  spec(cwd: string, what: 'works' | 'missing' | 'slow'): StartSpec
  /** Makes it print, or say, this many lines `line 1`, `line 2`, …, then make a file called `done`. */
  flood(agent: AgentSession, lines: number): Promise<void>
  /** Makes it end with this exit code. Absent, as the next one, where it has no process and something else prints. */
  exit?: (agent: AgentSession, code: number) => Promise<void>
  /** Makes it start a process that would outlive it, then make a file called `child`. */
  spawnChild?: (agent: AgentSession) => Promise<void>
  /** Only for agents that take something in the middle of a turn: makes it wait for that in its turn `t1`, and repeat it. */
  listen?: (agent: AgentSession) => Promise<void>
  /** Only for agents that ask: makes it ask, and make a file called `allowed` after a yes. */
  ask?: (agent: AgentSession) => Promise<void>
}

/** More than all buffers on the way hold. */
const manyLines = 50_000

/** The events of an agent, read one after another. */
class Heard {
  readonly events: AgentEvent[] = []
  readonly ended: Promise<void>

  constructor(agent: AgentSession) {
    this.ended = this.#read(agent)
  }

  of<T extends AgentEvent['t']>(t: T): Extract<AgentEvent, { t: T }>[] {
    return this.events.filter((event): event is Extract<AgentEvent, { t: T }> => event.t === t)
  }

  get words(): string {
    return this.events
      .map((event) => (event.t === 'text' ? event.delta : event.t === 'output' ? event.text : ''))
      .join('')
  }

  async #read(agent: AgentSession): Promise<void> {
    for await (const event of agent.events()) this.events.push(event)
  }
}

/** What every adapter must hold, whatever its agents speak. Registers a group of tests. */
export function adapterContract(name: string, subject: AdapterUnderTest): void {
  async function openPlace() {
    const temp = await openTempDir('hotline-adapter-')
    const guard = guardChildren({ directories: [temp.path] })
    const holder = subject.openHolder(join(temp.path, 'children'))
    return {
      cwd: temp.path,
      guard,
      holder,
      start: (): Promise<AgentSession> =>
        subject.driver.start(subject.spec(temp.path, 'works'), holder, new AbortController().signal),
      has: (file: string): Promise<unknown> => waitFor(() => existsSync(join(temp.path, file)), { what: file }),
      [Symbol.asyncDispose]: async (): Promise<void> => {
        await holder[Symbol.asyncDispose]()
        await guard.assertNoSurvivors()
        await temp.remove()
      },
    }
  }

  const hasProcess = subject.exit !== undefined

  describe(`adapter contract: ${name}`, () => {
    test('a started agent says who it is and what it can do', async () => {
      await using place = await openPlace()
      const agent = await place.start()
      expect(new Date(agent.startedAt).toISOString()).toBe(agent.startedAt)
      expect(Capabilities.parse(agent.capabilities)).toEqual(agent.capabilities)
      const pids = place.guard.findSurvivors().map(({ pid }) => pid)
      expect(pids).toEqual(hasProcess ? expect.arrayContaining([agent.pid]) : [])
      expect(agent.pid === undefined).toBe(!hasProcess)
      // What interfaces offer follows from this: what takes no keys has no screen to type at, what cannot ask takes no answers.
      if (agent.capabilities.screen) expect(agent.capabilities.input).toBe('keys')
      if (!subject.ask) expect(agent.capabilities).toMatchObject({ verdicts: [], questions: false })
      await agent.stop(0)
    })

    test('what its capabilities do not have is refused or does nothing, and never hangs', async () => {
      await using place = await openPlace()
      const agent = await place.start()
      const { input, screen } = agent.capabilities
      if (input === 'none') await expect(agent.prompt('t1', 'x')).rejects.toThrow()
      if (input === 'none') await expect(agent.keys(Buffer.from('x'))).rejects.toThrow()
      if (!screen) agent.resize({ cols: 10, rows: 10 })
      if (agent.facts.modes === undefined) await expect(agent.setMode('nothing')).rejects.toThrow()
    })

    test('a program that is not there, and a start that is called off, are refused and leave nothing', async () => {
      await using place = await openPlace()
      const { driver } = subject
      const missing = driver.start(subject.spec(place.cwd, 'missing'), place.holder, new AbortController().signal)
      const outcome = await missing.then(
        (agent) => new Heard(agent).ended.then(() => 'ended'),
        (error: unknown) => (error as Error).name,
      )
      expect(['StartError', 'ended']).toContain(outcome)
      const calledOff = new AbortController()
      const slow = driver.start(subject.spec(place.cwd, 'slow'), place.holder, calledOff.signal)
      calledOff.abort()
      await slow.then(
        (agent) => agent.stop(0),
        (error: unknown) => expect((error as Error).name).toBe('StartError'),
      )
      await waitFor(() => place.guard.findSurvivors().length === 0, { what: 'nothing left' })
    })

    test('events come in order, and the last one is its end', async () => {
      await using place = await openPlace()
      const agent = await place.start()
      const heard = new Heard(agent)
      await subject.flood(agent, 300)
      await place.has('done')
      await waitFor(() => heard.words.includes('line 300'), { what: 'the last line' })
      expect([...heard.words.matchAll(/line (\d+)/g)].map(([, number]) => Number(number))).toEqual(
        Array.from({ length: 300 }, (_, index) => index + 1),
      )
      expect(await agent.stop(500)).toEqual([])
      await heard.ended
      expect(heard.of('exit')).toHaveLength(1)
      expect(heard.events.at(-1)?.t).toBe('exit')
    })

    test('an agent that nobody listens to is not read on, and nothing of it is lost', async () => {
      await using place = await openPlace()
      const agent = await place.start()
      await subject.flood(agent, manyLines)
      const before = process.memoryUsage().rss
      // It fills the pipe and stands still: its processor time says so.
      let still = 0
      let last = -1
      const isStill = (): boolean => {
        const ticks = place.guard.findSurvivors().reduce((sum, { cpuTicks }) => sum + cpuTicks, 0)
        still = ticks === last ? still + 1 : 0
        last = ticks
        return still >= 10
      }
      await waitFor(isStill, { what: 'an agent that stands still', everyMs: 50 })
      // Who writes to a file does not wait for its readers.
      expect(existsSync(join(place.cwd, 'done'))).toBe(!hasProcess)
      expect(process.memoryUsage().rss - before).toBeLessThan(96 * 1024 * 1024)
      const heard = new Heard(agent)
      await place.has('done')
      await waitFor(() => heard.words.includes(`line ${manyLines}`), {
        what: 'the last line',
        everyMs: 200,
      })
      expect(heard.words.match(/line \d+/g)).toHaveLength(manyLines)
    })

    const { ask, exit: exitWith, listen, spawnChild } = subject
    if (exitWith && spawnChild) {
      test('its exit code is told', async () => {
        await using place = await openPlace()
        const agent = await place.start()
        const heard = new Heard(agent)
        await exitWith(agent, 7)
        await heard.ended
        expect(heard.of('exit').map(({ exit }) => exit)).toEqual([{ code: 7, signal: null }])
        await waitFor(() => place.guard.findSurvivors().length === 0, { what: 'nothing left' })
      })

      test('the signal that killed it is told', async () => {
        await using place = await openPlace()
        const agent = await place.start()
        const heard = new Heard(agent)
        process.kill(agent.pid ?? 0, 'SIGKILL')
        await heard.ended
        expect(heard.of('exit').map(({ exit }) => exit)).toEqual([{ code: null, signal: 'SIGKILL' }])
      })

      test('stopping it stops everything that it started, once, however often it is asked', async () => {
        await using place = await openPlace()
        const agent = await place.start()
        const heard = new Heard(agent)
        await spawnChild(agent)
        await place.has('child')
        place.guard.noteDescendants()
        expect(place.guard.findSurvivors().length).toBeGreaterThanOrEqual(2)
        expect(await Promise.all([agent.stop(300), agent.stop(300)])).toEqual([[], []])
        expect(place.guard.findSurvivors()).toEqual([])
        await heard.ended
        expect(await agent.stop(0)).toEqual([])
      })
    }

    test('answers to nothing are stale', async () => {
      await using place = await openPlace()
      const agent = await place.start()
      expect(await agent.answer('nothing', { verdict: 'allow', scope: 'once' })).toBe('stale')
      expect(await agent.answerQuestion('nothing', { action: 'cancel' })).toBe('stale')
      await agent.dismiss('nothing')
      await agent.interrupt()
    })

    if (listen) {
      test('what is said into a turn is heard in it, and told to be; what is for another turn is not', async () => {
        await using place = await openPlace()
        const agent = await place.start()
        const heard = new Heard(agent)
        expect(agent.capabilities.steer).toBe(true)
        expect(await agent.steer?.({ turn: 't1', message: 'm0', text: 'to nobody' })).toBe(false)
        await listen(agent)
        expect(await agent.steer?.({ turn: 't0', message: 'm1', text: 'too late' })).toBe(false)
        expect(await agent.steer?.({ turn: 't1', message: 'm2', text: 'turn left' })).toBe(true)
        await waitFor(() => heard.of('turn_ended').length === 1, { what: 'the end of the turn' })
        expect(heard.of('heard').map(({ message }) => message)).toEqual(['m2'])
        const at = heard.events.findIndex(({ t }) => t === 'heard')
        const saysIt = heard.events.findIndex((event) => event.t === 'text' && event.delta.includes('turn left'))
        expect(at).toBeGreaterThanOrEqual(0)
        expect(saysIt).toBeGreaterThan(at)
        expect(heard.words).not.toMatch(/to nobody|too late/)
      })
    } else {
      test('what takes nothing in the middle of a turn does not say that it does', async () => {
        await using place = await openPlace()
        const agent = await place.start()
        expect(agent.capabilities.steer ?? false).toBe(false)
      })
    }

    if (!ask) return
    test('an ask is answered once; a second answer is stale', async () => {
      await using place = await openPlace()
      const agent = await place.start()
      const heard = new Heard(agent)
      await ask(agent)
      await waitFor(() => heard.of('ask').length === 1, { what: 'an ask' })
      const [asked] = heard.of('ask')
      const id = asked?.ask.ask ?? ''
      expect(heard.of('step_started').map(({ step }) => step)).toContain(asked?.ask.step)
      expect(await agent.answer(id, { verdict: 'allow', scope: 'project' })).toBe('unsupported')
      expect(await agent.answer(id, { verdict: 'allow', scope: 'once' })).toBe('applied')
      expect(await agent.answer(id, { verdict: 'deny' })).toBe('stale')
      await place.has('allowed')
      await waitFor(() => heard.of('turn_ended').length === 1, { what: 'the end of the turn' })
    })

    test('an interrupt closes what is open and ends the turn', async () => {
      await using place = await openPlace()
      const agent = await place.start()
      const heard = new Heard(agent)
      await ask(agent)
      await waitFor(() => heard.of('ask').length === 1, { what: 'an ask' })
      const id = heard.of('ask')[0]?.ask.ask ?? ''
      await agent.interrupt()
      await waitFor(() => heard.of('turn_ended').length === 1, { what: 'the end of the turn' })
      expect(heard.of('turn_ended').map(({ end }) => end)).toEqual(['cancelled'])
      expect(heard.of('ask_closed')).toMatchObject([{ t: 'ask_closed', ask: id, reason: 'turn_ended' }])
      expect(await agent.answer(id, { verdict: 'allow', scope: 'once' })).toBe('stale')
      expect(existsSync(join(place.cwd, 'allowed'))).toBe(false)
    })
  })
}
