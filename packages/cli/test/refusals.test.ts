import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { exitCodes } from '@hotline/protocol/error'
import { limits } from '@hotline/protocol/limits'
import type { HandRunner } from '@hotline/testing/hand-runner'
import { type LiveServer, startLiveServer } from '@hotline/testing/live-server'
import { openTempDir, type TempDir } from '@hotline/testing/temp-dir'
import { waitFor } from '@hotline/testing/wait-for'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type HotlineProcess, startHotlineProcess } from './hotline-process.ts'
import { startHotlineTerminal } from './hotline-terminal.ts'

let live: LiveServer
let home: TempDir

beforeAll(async () => {
  live = await startLiveServer()
  home = await openTempDir()
  mkdirSync(join(home.path, '.hotline', 'runner'), { recursive: true })
  writeFileSync(join(home.path, '.hotline', 'runner', 'id'), 'a-runner-that-is-away\n')
})
afterAll(async () => {
  await live[Symbol.asyncDispose]()
  await home.remove()
})

const env = (): Record<string, string> => ({ HOME: home.path, HOTLINE_URL: live.url, HOTLINE_TOKEN: live.token })
const start = (...args: string[]): HotlineProcess => startHotlineProcess(args, env())
async function run(...args: string[]): Promise<{ code: number | null; out: string; err: string }> {
  const hotline = start(...args)
  hotline.endInput()
  return await hotline.ended
}

const storedOf = async (runner: HandRunner, type: string): Promise<(Record<string, unknown> | undefined)[]> =>
  (await live.stored(runner.session))
    .filter((event) => event.type === type)
    .map(({ data, body }) => ({ ...data, ...body }))

describe('lines that the server refuses', () => {
  const tooLong = 'x'.repeat(limits.personMessageChars + 1)

  it('[B6] from a pipe, the first refusal is the exit code; what can be sent is sent all the same', async () => {
    const runner = await live.startSession()
    for (const args of [
      ['attach', runner.session],
      ['--json', 'attach', runner.session],
    ]) {
      const piped = start(...args)
      piped.type(`before\n${tooLong}\nafter\n/quit`)
      const { code, err } = await piped.ended
      expect(code).toBe(exitCodes['too-large'])
      expect(err).toMatch(/^! The message has 2001 characters; 2000 are allowed/m)
      const last = err.trim().split('\n').at(-1) ?? ''
      const detail = args[0] === '--json' ? (JSON.parse(last) as { detail: string }).detail : last
      expect(detail).toMatch(/"x+…" was refused: The message has 2001 characters; 2000 are allowed/)
      expect(detail.length).toBeLessThan(300)
    }
    const texts = (await storedOf(runner, 'message.posted')).map((event) => event?.['text'])
    expect(texts).toEqual(['before', 'after', 'before', 'after'])
  })

  it('[B6] the same for run, and for what is no message; the code is that of its kind', async () => {
    const running = start('run', 'demo')
    running.type(`${tooLong}\n/quit`)
    const ran = await running.ended
    expect(ran.code).toBe(exitCodes['too-large'])
    expect(ran.err).toContain('It goes on. Come back with: hotline attach')

    const runner = await live.startSession()
    const stopping = start('attach', runner.session)
    stopping.type('/stop\n/quit')
    const stopped = await stopping.ended
    // Nothing is under way that could be stopped.
    expect(stopped.code).toBe(exitCodes.conflict)
    expect(stopped.err).toContain('"/stop" was refused: ')
  })

  it('[B6] a person at a terminal reads it, and the end is no failure', async () => {
    const runner = await live.startSession()
    const terminal = startHotlineTerminal(['attach', runner.session], env())
    await terminal.shows('queued -> starting')
    terminal.type('/stop\r')
    await waitFor(() => /^! /m.test(terminal.screen), { what: 'the refusal' })
    terminal.type('/quit\r')
    expect(await terminal.ended).toBe(0)
  })
})

describe('an input that lies beside its event and is gone', () => {
  it('[B5] is a card that can be denied and not allowed, and others are shown beside it', async () => {
    const runner = await live.startSession()
    const content = await live.putContent(runner.session, `echo ${'x'.repeat(100_000)}`)
    const lost = await runner.ask({ tool: 'bash', title: 'Lost', content })
    const other = await runner.ask({ tool: 'bash', title: 'Other', input: 'ls' })
    rmSync(join(live.dataDir, 'blobs'), { recursive: true })
    const asked = await run('asks', runner.session)
    expect(asked).toMatchObject({ code: 0 })
    expect(asked.out).toContain('What would run could not be fetched: ')
    expect(asked.out).toContain('| ls')
    const [first, second] = (await run('--json', 'asks', runner.session)).out.trim().split('\n')
    expect(JSON.parse(first ?? '')).toMatchObject({
      approval: lost.approval,
      unfit: expect.stringContaining('could not be fetched') as string,
    })
    expect(JSON.parse(second ?? '')).toMatchObject({ approval: other.approval, digest: other.digest })

    const allowed = await run('approve', lost.approval, '--digest', lost.digest)
    expect(allowed).toMatchObject({ code: exitCodes.conflict, out: '' })
    expect(allowed.err).toContain('could not be fetched')
    expect(await storedOf(runner, 'approval.resolved')).toEqual([])
    expect(await run('deny', lost.approval, '--reason', 'unseen')).toMatchObject({ code: 0, out: 'denied\n' })
    expect(await run('approve', other.approval, '--digest', other.digest)).toMatchObject({ code: 0 })
    expect(await storedOf(runner, 'approval.resolved')).toMatchObject([{ outcome: 'denied' }, { outcome: 'allowed' }])
  })
})

describe('an approval that was answered long ago', () => {
  it('[B2] [P1] is found in whatever session it was, however much came after it', async () => {
    const link = live.link()
    const answer = async (runner: HandRunner, verdict: 'allow' | 'deny'): Promise<string> => {
      const { approval, digest } = await runner.ask({ tool: 'bash', title: 'Old', input: 'ls' })
      const decision = { approval, digest, verdict, reason: 'long ago' }
      expect(await link.command(runner.stream, 'approval.decide', decision)).toMatchObject({ ok: true })
      await runner.report({ type: 'approval.dispatched', data: { approval } })
      return approval
    }
    const runner = await live.startSession('first')
    const first = await answer(runner, 'deny')
    const gone = await runner.ask({ tool: 'bash', title: 'Gone', input: 'ls' })
    await runner.report({ type: 'approval.cancelled', data: { approval: gone.approval, reason: 'agent_withdrew' } })
    // More than its state remembers, and more sessions than one page of lists holds at first.
    for (let at = 0; at < 55; at += 1) await answer(runner, 'allow')
    const last = await answer(runner, 'allow')
    for (let at = 0; at < 110; at += 1) await live.startSession(`later ${at}`)

    for (const [approval, word] of [
      [last, 'allowed'],
      [first, 'denied'],
      [first.slice(0, -6), 'denied'],
    ] as const) {
      for (const command of ['deny', 'approve']) {
        const late = await run(command, approval)
        expect(late).toMatchObject({ code: exitCodes.conflict, out: '' })
        expect(late.err).toMatch(
          new RegExp(`This was ${word} already: by @dana at \\d\\d:\\d\\d:\\d\\d over the API\\.`),
        )
      }
    }
    const told = await run('--json', 'deny', first)
    expect(JSON.parse(told.err)).toMatchObject({ code: 'already_resolved', outcome: 'denied', by: { kind: 'person' } })
    const expired = await run('--json', 'deny', gone.approval)
    expect(JSON.parse(expired.err)).toMatchObject({ code: 'approval_expired' })
    expect(expired.err).toContain('The agent no longer asks')
    expect(await run('deny', 'f'.repeat(8))).toMatchObject({ code: exitCodes['not-found'] })
  })
})

describe('more time to answer', () => {
  it('[B87] is given by extend, said in the log, and refused where it is none', async () => {
    const runner = await live.startSession()
    const { approval } = await runner.ask({ tool: 'bash', title: 'Later', input: 'ls' })
    const given = await run('extend', approval, '--by', '2d')
    expect(given).toMatchObject({ code: 0, err: '' })
    expect(given.out).toMatch(/^It can be answered until \d{4}-\d\d-\d\d /)
    expect((await run('logs', runner.session)).out).toMatch(
      /time to answer until \d{4}-\S+ \S+: more was given by @dana/,
    )
    expect((await run('extend', approval, '--by', '1h')).err).toContain('name a later time')
    expect((await run('extend', approval, '--by', 'soon')).err).toContain('30m or 8h')
    expect((await run('extend', approval, '--by', '40d')).err).toContain('At most thirty days')
  })
})
