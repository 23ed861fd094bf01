import { openApprovals, type SessionState } from '@hotline/core/session/state'
import type { Link } from '@hotline/client/link'
import { type Step, scriptPrompt } from '@hotline/demo-agent/script'
import { openOracleClient, type OracleClient } from '@hotline/testing/oracle-client'
import { type SeededRandom, seededRandom } from '@hotline/testing/seed'
import { waitFor } from '@hotline/testing/wait-for'
import { describe, expect, it } from 'vitest'
import { type Hotline, startHotline } from '../src/hotline.ts'

const seeds = process.env['HOTLINE_TEST_SEED'] ? [Number(process.env['HOTLINE_TEST_SEED'])] : [1, 2]

const script: Step[] = [
  { do: 'tick', everyMs: 25, count: 120 },
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

/** Sessions at work, five readers on each, and what everybody did and saw. */
async function openScene(hotline: Hotline, count: number) {
  const sessions = await Promise.all(
    Array.from({ length: count }, () => hotline.api.start('demo', scriptPrompt(script))),
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
  return { sessions, oracles, close: () => Promise.all(links.map((link) => link[Symbol.asyncDispose]())) }
}

async function killServer(hotline: Hotline): Promise<void> {
  const pid = hotline.pidOf('server')
  if (pid !== undefined) process.kill(pid, 'SIGKILL')
  await waitFor(() => hotline.pidOf('server') !== undefined && hotline.pidOf('server') !== pid, {
    deadlineMs: 30_000,
    what: 'another server',
  })
}

/** Answers every approval and waits until each session has done all of its work; then compares everything. */
async function finishAndCompare(hotline: Hotline, scene: Awaited<ReturnType<typeof openScene>>): Promise<void> {
  const { sessions, oracles } = scene
  for (const [index, session] of sessions.entries()) {
    const asks = (state: SessionState): boolean => openApprovals(state).length === 1
    const state = await hotline.api.until(session, `session ${index} to ask`, asks)
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
        { deadlineMs: 20_000, what: `a reader of session ${index} to agree with the store` },
      ).catch(() => expect(violations).toEqual([]))
    }
    // What the agent said is there whole: it never noticed that anything happened.
    const said = stored
      .filter(({ type }) => type === 'message.completed')
      .map(({ body }) => String(body?.['text']))
      .join('\n')
    const ticks = [...said.matchAll(/tick (\d+)/g)].map((match) => Number(match[1]))
    expect(ticks).toEqual(Array.from({ length: 120 }, (_, at) => (ticks[0] ?? 0) + at))
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

function sendNow(random: SeededRandom, scene: Awaited<ReturnType<typeof openScene>>): void {
  const oracle = scene.oracles[random.int(0, scene.oracles.length - 1)]
  const session = scene.sessions[random.int(0, scene.sessions.length - 1)]
  void oracle?.command(`session:${session}`, 'message.send', { text: `help` })
}

describe('killing', () => {
  it.each(seeds)(
    '[K1] the server is killed at random while 20 sessions stream to five readers each (seed %i)',
    async (seed) => {
      const random = seededRandom(seed)
      const hotline = await startHotline()
      const scene = await openScene(hotline, 20)
      try {
        await hotline.api.until(scene.sessions[0] ?? '', 'work', (state) => state.turn !== undefined)
        for (let kill = 0; kill < 4; kill += 1) {
          for (let command = random.int(1, 6); command > 0; command -= 1) sendNow(random, scene)
          const stream = `session:${scene.sessions[random.int(0, 19)]}`
          const oracle = scene.oracles[0]
          const at = oracle?.at(stream) ?? 0
          const more = random.int(1, 12)
          await waitFor(() => (oracle?.at(stream) ?? 0) >= at + more || random.int(0, 30) === 0, {
            deadlineMs: 20_000,
            what: 'a moment to kill at',
          })
          await killServer(hotline)
        }
        await finishAndCompare(hotline, scene)
      } finally {
        await scene.close()
        await hotline[Symbol.asyncDispose]()
      }
    },
  )

  it.each(['before_write', 'after_write_before_sync', 'after_commit_before_publish', 'after_publish_before_ack'])(
    '[K2] every life of the server ends at the failpoint %s, and nothing is lost or doubled',
    async (point) => {
      const hotline = await startHotline()
      await hotline.interrupt()
      const scene = await (async () => {
        await hotline.restart({ HOTLINE_FAILPOINT: `${point}:kill:90` })
        return openScene(hotline, 4)
      })()
      try {
        const random = seededRandom(7)
        for (let command = 0; command < 8; command += 1) sendNow(random, scene)
        await finishAndCompare(hotline, scene)
        expect(hotline.printed).toContain('starting it again')
      } finally {
        await scene.close()
        await hotline[Symbol.asyncDispose]()
      }
    },
  )
})
