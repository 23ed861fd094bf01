import { readFileSync } from 'node:fs'
import { scriptPrompt } from '@hotline/demo-agent/script'
import { openApprovals } from '@hotline/core/session/state'
import { hasProcess, listProcesses } from '@hotline/testing/process-list'
import { waitFor } from '@hotline/testing/wait-for'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Hotline, startHotline } from '../src/hotline.ts'

let hotline: Hotline
beforeAll(async () => {
  hotline = await startHotline()
})
afterAll(async () => {
  await hotline[Symbol.asyncDispose]()
})

describe('the main job', () => {
  it('[Z1] an agent is started, asks, hears allow and deny, and reads a message that came while it worked', async () => {
    const { api } = hotline
    const session = await api.start(
      'demo',
      scriptPrompt([
        { do: 'say', text: 'Working.' },
        {
          do: 'ask',
          tool: 'write',
          title: 'Write a.txt',
          kind: 'edit',
          input: { path: 'a.txt' },
          onAllow: [{ do: 'say', text: 'first allowed' }],
        },
        {
          do: 'ask',
          tool: 'run',
          title: 'Run ls',
          kind: 'execute',
          input: { command: 'ls' },
          onDeny: [{ do: 'say', text: 'second denied' }],
        },
        { do: 'say', text: 'Done.' },
      ]),
    )
    const first = await api.until(session, 'the first question', (state) => openApprovals(state).length === 1)
    const stream = `session:${session}`
    await api.command(stream, 'message.send', { text: 'and then say hello' })
    const [one] = openApprovals(first)
    await api.command(stream, 'approval.decide', {
      approval: one?.approval ?? '',
      digest: one?.digest ?? '',
      verdict: 'allow',
    })
    const second = await api.until(
      session,
      'the second question',
      (state) => openApprovals(state)[0]?.approval !== undefined && openApprovals(state)[0]?.approval !== one?.approval,
    )
    const [two] = openApprovals(second)
    await api.command(stream, 'approval.decide', {
      approval: two?.approval ?? '',
      digest: two?.digest ?? '',
      verdict: 'deny',
      reason: 'not now',
    })
    await api.until(session, 'both turns to end', (state) => state.counts.turns === 2 && state.turn === undefined)

    const events = await api.events(session)
    expect(events.map(({ seq }) => seq)).toEqual(events.map((_, index) => index + 1))
    const text = JSON.stringify(events)
    expect(text).toContain('first allowed')
    expect(text).toContain('second denied')
    const delivered = events.filter(({ type }) => type === 'message.delivered')
    expect(delivered).toHaveLength(2)
    expect(new Set(delivered.map(({ subject }) => subject)).size).toBe(2)
  })

  it('[Z2] kill -9 of the server in the middle: the agent never notices, the approval is answered, nothing is lost', async () => {
    const { api } = hotline
    const session = await api.start(
      'demo',
      scriptPrompt([
        // Longer than two lives of the server take, so that each of them is ended in the middle.
        { do: 'tick', everyMs: 20, count: 400 },
        {
          do: 'ask',
          tool: 'write',
          title: 'Write b.txt',
          kind: 'edit',
          input: { path: 'b.txt' },
          onAllow: [{ do: 'say', text: 'allowed after the crash' }],
        },
      ]),
    )
    await api.until(session, 'the agent to work', (state) => state.turn !== undefined)
    const link = hotline.openLink()
    const seen: number[] = []
    link.follow(`session:${session}`, '0', { events: (events) => seen.push(...events.map(({ seq }) => seq)) })
    for (let round = 0; round < 2; round += 1) {
      const heard = seen.length
      await waitFor(() => seen.length > heard + 5, { what: 'more events' })
      const before = hotline.pidOf('server')
      process.kill(before ?? 0, 'SIGKILL')
      await waitFor(() => hotline.pidOf('server') !== undefined && hotline.pidOf('server') !== before, {
        what: 'the server to be back',
      })
    }
    const asking = await api.until(session, 'the question', (state) => openApprovals(state).length === 1, 60_000)
    const [open] = openApprovals(asking)
    process.kill(hotline.pidOf('server') ?? 0, 'SIGKILL')
    const decided = await link.command(`session:${session}`, 'approval.decide', {
      approval: open?.approval ?? '',
      digest: open?.digest ?? '',
      verdict: 'allow',
    })
    expect(decided).toMatchObject({ ok: true })
    await api.until(session, 'the turn to end', (state) => state.turn === undefined && state.counts.turns === 1)

    const events = await api.events(session)
    await waitFor(() => seen.at(-1) === events.length, { what: 'the follower to have everything' })
    expect(seen).toEqual(events.map((_, index) => index + 1))
    const text = events.map(({ body }) => (body as { text?: string } | undefined)?.text ?? '').join('')
    expect(text).toContain('allowed after the crash')
    expect(events.filter(({ type }) => type === 'approval.resolved')).toHaveLength(1)
    await link[Symbol.asyncDispose]()
  })

  it('[Z3] kill -9 of an agent shows interrupted with the signal', async () => {
    const { api } = hotline
    const session = await api.start('demo', scriptPrompt([{ do: 'hang' }]))
    const working = await api.until(session, 'a pid', (state) => state.turn !== undefined && state.pid !== undefined)
    process.kill(working.pid ?? 0, 'SIGKILL')
    const gone = await api.until(session, 'interrupted', (state) => state.status === 'interrupted')
    expect(gone).toMatchObject({ reason: 'agent_exited', exit: { signal: 'SIGKILL' } })
    expect(gone.turn).toBeUndefined()
  })

  it('[Z4] Ctrl-C ends everything, no process is left, and the next start finds everything', async () => {
    const { api } = hotline
    const session = await api.start('demo', scriptPrompt([{ do: 'hang' }]))
    const { pid = 0 } = await api.until(
      session,
      'a pid',
      (state) => state.turn !== undefined && state.pid !== undefined,
    )
    const keepers = listProcesses()
      .filter(({ command }) => command.includes('keeper/main.ts') && command.includes(hotline.dataDir))
      .map((entry) => entry.pid)
    expect(keepers).toHaveLength(1)
    const pids = [pid, hotline.pidOf('server') ?? 0, hotline.pidOf('runner') ?? 0, ...keepers]
    await hotline.interrupt()
    expect(hotline.process.exitCode).toBe(0)
    for (const one of pids) expect(hasProcess(one), `process ${one}`).toBe(false)
    await hotline.restart()
    expect(hotline.printed).not.toContain('#bootstrap=')
    const state = await api.until(
      session,
      'the session to be told truthfully',
      ({ status }) => status === 'interrupted',
    )
    expect(state.title).not.toBe('')
  })

  it('[T07] no secret is in what was printed', () => {
    const secrets = ['cli-token', 'runner-key'].map((name) => readFileSync(`${hotline.dataDir}/${name}`, 'utf8').trim())
    for (const secret of secrets) expect(hotline.printed).not.toContain(secret)
    expect(hotline.printed).not.toMatch(/hl_[a-z]{3}_/)
  })
})
