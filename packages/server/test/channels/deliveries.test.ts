import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { httpRequest } from '@hotline/client/http-request'
import { ChannelPage, type ChannelRow } from '@hotline/protocol/channels'
import { openFakeChannel } from '@hotline/testing/fake-channel'
import { freePort } from '@hotline/testing/free-port'
import { handClock } from '@hotline/testing/hand-clock'
import type { HandRunner } from '@hotline/testing/hand-runner'
import { type LiveServer, startLiveServer } from '@hotline/testing/live-server'
import { openMiddle } from '@hotline/testing/middle'
import { openTestPostgres, type TestPostgres } from '@hotline/testing/test-postgres'
import { waitFor } from '@hotline/testing/wait-for'
import { startWebhookReceiver, type WebhookReceiver } from '@hotline/testing/webhook-receiver'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { Deliveries } from '../../src/channels/deliveries.ts'
import { outboxOver } from '../../src/channels/outbox.ts'
import { openPermissionDesk } from '../../src/http/permissions/permission-desk.ts'
import { openLogger } from '../../src/machine/logger.ts'

const secret = `whsec_${Buffer.alloc(32, 7).toString('base64')}`
const run = (command: string) => ({ tool: 'bash', title: command, input: JSON.stringify({ command }) })

describe.each(['SQLite', 'PostgreSQL'] as const)('deliveries over %s', (store) => {
  let postgres: TestPostgres | undefined
  let live: LiveServer
  let receiver: WebhookReceiver
  let port: number
  beforeAll(async () => {
    if (store === 'PostgreSQL') postgres = await openTestPostgres()
    live = await startLiveServer({ env: postgres ? { HOTLINE_DATABASE_URL: await postgres.createDatabase() } : {} })
    port = await freePort()
    receiver = await startWebhookReceiver(secret, port)
    const settings = {
      channels: [
        { kind: 'webhook', name: 'ops', url: receiver.url, secrets: [secret] },
        { kind: 'webhook', name: 'none', url: receiver.url, secrets: [secret], projects: ['elsewhere'] },
      ],
    }
    writeFileSync(join(live.dataDir, 'channels.json'), JSON.stringify(settings), { mode: 0o600 })
    await live.restart()
  })
  afterAll(async () => {
    await live[Symbol.asyncDispose]()
    await receiver[Symbol.asyncDispose]()
    await postgres?.[Symbol.asyncDispose]()
  })

  async function ask(hand: HandRunner, command: string): Promise<{ id: string; approval: string; digest: string }> {
    const { approval, digest } = await hand.ask(run(command))
    return { id: `${hand.session}/${approval}`, approval, digest }
  }
  const told = (what: 'show' | 'withdraw', id: string): Promise<WebhookReceiver['told'][number]> =>
    waitFor(() => receiver.told.find((one) => one.what === what && one.requestId === id), { what: `a word to ${what}` })
  async function channel(): Promise<ChannelRow> {
    const answer = await httpRequest<unknown>(live.url, { kind: 'token', token: live.token }, 'GET', '/api/channels')
    if (!answer.ok) throw new Error(answer.problem.detail)
    const [row] = ChannelPage.parse(answer.value).channels
    if (!row) throw new Error('no channel')
    return row
  }

  it('[DV4] [DV6] each request is shown once, and taken back with who answered where', async () => {
    const hand = await live.startSession('Delivered')
    const one = await ask(hand, 'npm test')
    const two = await ask(hand, 'npm run other')
    const shown = await told('show', one.id)
    expect(shown.body.data).toMatchObject({
      toolName: 'bash',
      input: { command: 'npm test' },
      digest: one.digest,
      context: { session: hand.session, project: 'default' },
    })
    await told('show', two.id)
    await waitFor(async () => (await channel()).shown === 2, { what: 'both to be noted' })
    expect(await channel()).toMatchObject({
      channel: 'webhook:ops',
      target: `127.0.0.1:${port}`,
      circuit: 'closed',
      waiting: 0,
    })
    const decided = await live
      .link()
      .command(hand.stream, 'approval.decide', { approval: one.approval, digest: one.digest, verdict: 'allow' })
    expect(decided).toMatchObject({ ok: true })
    expect((await told('withdraw', one.id)).words).toBe('Allowed by dana over the API')
    await hand.report({ type: 'approval.cancelled', data: { approval: two.approval, reason: 'agent_withdrew' } })
    expect((await told('withdraw', two.id)).words).toBe('The agent no longer asks')
    await waitFor(async () => (await channel()).shown === 0, { what: 'both to be forgotten' })
    for (const { id } of [one, two]) expect(receiver.told.filter(({ requestId }) => requestId === id)).toHaveLength(2)
  })

  it('[DV4] over a restart: what was not taken is delivered, what was is not delivered again, what ended is taken back', async () => {
    const hand = await live.startSession('Restarted')
    const shown = await ask(hand, 'npm run shown')
    await told('show', shown.id)
    await waitFor(async () => (await channel()).shown === 1, { what: 'it to be noted' })
    receiver.mood = 'is away'
    const before = receiver.tries
    const late = await ask(hand, 'npm run late')
    await waitFor(() => receiver.tries > before, { what: 'a try' })
    const { failures, lastError, waiting } = await waitFor(
      async () => {
        const row = await channel()
        return row.failures > 0 ? row : undefined
      },
      { what: 'the failure' },
    )
    expect([failures > 0, lastError, waiting]).toEqual([true, 'it answered 503', 1])
    await live.restart()
    await hand.report({ type: 'approval.cancelled', data: { approval: shown.approval, reason: 'agent_withdrew' } })
    receiver.mood = 'takes'
    await told('show', late.id)
    await told('withdraw', shown.id)
    expect(receiver.told.filter(({ requestId }) => requestId === shown.id)).toHaveLength(2)
    await hand.report({ type: 'approval.cancelled', data: { approval: late.approval, reason: 'agent_withdrew' } })
    await told('withdraw', late.id)
    // Nothing that it took came twice.
    expect(new Set(receiver.came).size).toBe(receiver.came.length)
  })

  it('[DV4] what the receiver does not take is not tried again, is told to admins, and needs no taking back', async () => {
    receiver.mood = 'refuses'
    const hand = await live.startSession('Refused')
    const one = await ask(hand, 'npm run refused')
    await waitFor(async () => (await channel()).refused === 1, { what: 'the refusal' })
    expect(await channel()).toMatchObject({ lastError: 'it answered 422', waiting: 0, circuit: 'closed' })
    receiver.mood = 'takes'
    await hand.report({ type: 'approval.cancelled', data: { approval: one.approval, reason: 'agent_withdrew' } })
    await waitFor(async () => (await channel()).refused === 0, { what: 'it to be forgotten' })
    expect(receiver.told.filter(({ requestId }) => requestId === one.id)).toEqual([])
  })
})

describe('a channel that fails', () => {
  it('[DV4] [DV5] is tried again later each time, then left alone, then tried once, and loses nothing', async () => {
    const middle = await openMiddle()
    const clock = handClock()
    const channel = openFakeChannel()
    channel.mood = 'is away'
    const lines: string[] = []
    const desk = openPermissionDesk(middle)
    const sessions = ['s1/a1', 's1/a2', 's1/a3']
    let open: readonly string[] = sessions
    const page: typeof desk.page = ({ isWanted }) => {
      const asks = open.flatMap((requestId) => {
        const [session = '', approval = ''] = requestId.split('/')
        return isWanted({ session, approval, timeStands: false }) ? [askRow(session, approval)] : []
      })
      return Promise.resolve({ asks, open, next: undefined })
    }
    const ending: typeof desk.ending = (session, approval) =>
      Promise.resolve({ type: 'permission-timeout', requestId: `${session}/${approval}`, toolName: 'bash' })
    const deliveries = new Deliveries({
      channel,
      projects: undefined,
      allProjects: () => Promise.resolve(['p1']),
      desk: { page, ending },
      outbox: outboxOver(middle),
      bus: middle.bus,
      clock,
      random: () => 0.5,
      logger: openLogger({ destination: { write: (line) => void lines.push(line) } }),
    })
    /** Time passes until something was tried. */
    async function untilTried(count: number): Promise<void> {
      await waitFor(
        () => {
          if (channel.tries < count) clock.advance(1_000)
          return channel.tries >= count
        },
        { what: `try ${count}` },
      )
    }
    await untilTried(5)
    await waitFor(async () => (await deliveries.row()).circuit === 'open', { what: 'the circuit to open' })
    expect(await deliveries.row()).toMatchObject({ failures: 5, waiting: 3, shown: 0, lastError: 'it is away' })
    expect(lines.filter((line) => line.includes('left alone'))).toHaveLength(1)
    clock.advance(20_000)
    await new Promise((resolve) => setImmediate(resolve))
    expect(channel.tries).toBe(5)
    await untilTried(6)
    await waitFor(async () => (await deliveries.row()).failures === 6, { what: 'the failure' })
    expect(channel.tries).toBe(6)
    channel.mood = 'takes'
    await untilTried(9)
    await waitFor(async () => (await deliveries.row()).shown === 3, { what: 'all to be shown' })
    expect(await deliveries.row()).toMatchObject({ circuit: 'closed', failures: 0, waiting: 0 })
    expect(lines.filter((line) => line.includes('takes deliveries again'))).toHaveLength(1)
    expect(channel.told.map(({ requestId }) => requestId)).toEqual(sessions)
    open = []
    await untilTried(12)
    expect(channel.told.slice(3).map(({ what, words }) => [what, words])).toEqual(
      Array.from({ length: 3 }, () => ['withdraw', 'Nobody answered in time']),
    )
    channel.mood = 'is silent'
    open = ['s1/a4']
    await untilTried(13)
    await deliveries[Symbol.asyncDispose]()
    desk[Symbol.dispose]()
    // It may have arrived: after a start it is sent again, under the same key.
    expect(await outboxOver(middle).read(channel.name)).toEqual([{ session: 's1', approval: 'a4', state: 'sending' }])
    await middle.close()
    expect(middle.faults).toEqual([])
  })
})

function askRow(
  session: string,
  approval: string,
): Awaited<ReturnType<ReturnType<typeof openPermissionDesk>['page']>>['asks'][number] {
  const at = '2026-01-02T03:04:05.678Z'
  return {
    kind: 'approval',
    ask: approval,
    session,
    project: 'p1',
    agent: 'demo',
    title: 'A session',
    askedAt: at,
    risk: 'low',
    timeStands: false,
    subAgent: null,
    snoozedUntil: null,
    cursor: 'abcdefgh.1',
    events: [
      {
        v: 1,
        stream: `session:${session}`,
        seq: 1,
        at,
        type: 'approval.requested',
        subject: `approval:${approval}`,
        actor: { kind: 'agent', id: session },
        data: {
          approval,
          digest: '0'.repeat(64),
          contextDigest: '0'.repeat(64),
          verdicts: ['allow', 'deny'],
          scopes: ['once'],
          strength: 'enforced',
          expiresAt: at,
          onTimeout: 'deny',
        },
        body: { tool: 'bash', title: 'ls', input: '{"command":"ls"}' },
        hash: '',
      },
    ],
  }
}
