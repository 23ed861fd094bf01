import { openApprovals, type SessionState } from '@hotline/core/session/state'
import type { Link } from '@hotline/client/link'
import { type Step, scriptPrompt } from '@hotline/demo-agent/script'
import { openOracleClient, type OracleClient } from '@hotline/testing/oracle-client'
import { waitFor } from '@hotline/testing/wait-for'
import { expect } from 'vitest'
import type { Api } from './api.ts'

/** What has a server to work on and to follow. */
export interface SceneHost {
  api: Api
  openLink(): Link
}

/** Sessions at work, readers on each, and what everybody did and saw. */
export interface Scene {
  readonly sessions: readonly string[]
  readonly oracles: readonly OracleClient[]
  /** How many numbered messages each agent says. */
  readonly ticks: number
  close(): Promise<void>
}

/** So many numbered messages at a pace, a question, and what follows from its answer. */
const scriptOf = (everyMs: number, count: number): Step[] => [
  { do: 'tick', everyMs, count },
  {
    do: 'ask',
    tool: 'write',
    title: 'Go on?',
    kind: 'edit',
    input: { path: 'x' },
    record: 'outcomes.jsonl',
    onAllow: [{ do: 'say', text: 'I was allowed.' }],
  },
  { do: 'say', text: 'The end.' },
]

/** Starts the sessions and five readers of all of them. */
export async function openScene(hotline: SceneHost, count: number, { everyMs = 25, ticks = 120 } = {}): Promise<Scene> {
  const sessions = await Promise.all(
    Array.from({ length: count }, () => hotline.api.start('demo', scriptPrompt(scriptOf(everyMs, ticks)))),
  )
  const links: Link[] = []
  const oracles: OracleClient[] = []
  for (let index = 0; index < 5; index += 1) {
    const link = hotline.openLink()
    const oracle = openOracleClient(link, `reader ${index}`)
    for (const session of sessions) oracle.follow(`session:${session}`)
    links.push(link)
    oracles.push(oracle)
  }
  return {
    sessions,
    oracles,
    ticks,
    close: async () => {
      for (const link of links) await link[Symbol.asyncDispose]()
    },
  }
}

/** Answers every approval and waits until each session has done all of its work; then compares everything. */
export async function finishAndCompare(hotline: SceneHost, scene: Scene): Promise<void> {
  const { sessions, oracles } = scene
  for (const [index, session] of sessions.entries()) {
    const asks = (state: SessionState): boolean => openApprovals(state).length === 1
    const state = await hotline.api.until(session, `session ${index} to ask`, asks, 120_000)
    const [open] = openApprovals(state)
    const decision = { approval: open?.approval ?? '', digest: open?.digest ?? '', verdict: 'allow' } as const
    const outcome = await oracles[index % oracles.length]?.command(`session:${session}`, 'approval.decide', decision)
    expect(outcome).toMatchObject({ ok: true })
  }
  for (const [index, session] of sessions.entries()) {
    const quiet = (state: SessionState): boolean =>
      state.queue.length === 0 && state.turn === undefined && state.approvals.length === 0
    await hotline.api.until(session, `session ${index} to rest`, quiet)
    const stored = await hotline.api.events(session)
    const stream = `session:${session}`
    for (const oracle of oracles) {
      // The log may still grow by a line about the runner's contact: compared again until both are at rest.
      let violations: string[] = []
      await waitFor(
        async () => {
          violations = oracle.violations(stream, await hotline.api.events(session))
          return violations.length === 0
        },
        { what: `a reader of session ${index} to agree with the store` },
      ).catch(() => expect(violations).toEqual([]))
    }
    // What the agent said is there whole: it never noticed that anything happened.
    const said = stored
      .filter(({ type }) => type === 'message.completed')
      .map(({ body }) => String(body?.['text']))
      .join('\n')
    const ticks = [...said.matchAll(/tick (\d+)/g)].map((match) => Number(match[1]))
    expect(ticks).toEqual(Array.from({ length: scene.ticks }, (_, at) => (ticks[0] ?? 0) + at))
    expect(said).toContain('I was allowed.')
    for (const type of ['approval.requested', 'approval.resolved', 'approval.dispatched']) {
      expect(
        stored.filter((event) => event.type === type),
        type,
      ).toHaveLength(1)
    }
    const delivered = stored.filter(({ type }) => type === 'message.delivered').map(({ subject }) => subject)
    expect(new Set(delivered).size).toBe(delivered.length)
  }
}
