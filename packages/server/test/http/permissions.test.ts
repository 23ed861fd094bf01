import { uuidV7 } from '@hotline/client/uuid'
import type { HandRunner } from '@hotline/testing/hand-runner'
import { type LiveServer, startLiveServer } from '@hotline/testing/live-server'
import { PermissionClient } from '@hotline/testing/permission-client'
import { openTestPostgres, type TestPostgres } from '@hotline/testing/test-postgres'
import { waitFor } from '@hotline/testing/wait-for'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'

const run = (command: string) => ({ tool: 'bash', title: command, input: JSON.stringify({ command }) })

describe.each(['SQLite', 'PostgreSQL'] as const)('permissions.v1 over %s', (store) => {
  let postgres: TestPostgres | undefined
  let live: LiveServer
  beforeAll(async () => {
    if (store === 'PostgreSQL') postgres = await openTestPostgres()
    const database = postgres ? { HOTLINE_DATABASE_URL: await postgres.createDatabase() } : {}
    live = await startLiveServer({ env: { ...database, HOTLINE_LIMIT_OPEN_APPROVALS: '11' } })
  })
  afterAll(async () => {
    await live[Symbol.asyncDispose]()
    await postgres?.[Symbol.asyncDispose]()
  })

  const dial = (after?: string): PermissionClient =>
    new PermissionClient(live.url, live.token, {
      path: after === undefined ? '/ws/permissions' : `/ws/permissions?after=${after}`,
    })

  const cursorOf = (client: PermissionClient): string | undefined => {
    const cursor = client.of('permission-queue-status').at(-1)?.['cursor']
    return typeof cursor === 'string' ? cursor : undefined
  }

  async function ask(hand: HandRunner, command: string, more: object = {}): Promise<{ id: string; digest: string }> {
    const { approval, digest } = await hand.ask({ ...run(command), ...more })
    return { id: `${hand.session}/${approval}`, digest }
  }
  const withdraw = (hand: HandRunner, id: string): ReturnType<HandRunner['report']> =>
    hand.report({ type: 'approval.cancelled', data: { approval: id.split('/')[1] ?? '', reason: 'agent_withdrew' } })

  it('[PV1] who connects is told all that is open, and then what comes and what becomes of it', async () => {
    const hand = await live.startSession('First')
    const { id, digest } = await ask(hand, 'npm run build', { cwd: '/work', reason: 'to see it run' })
    const odd = await hand.ask({ tool: 'bash', title: 'x', input: '{"command": "a", "command":"b"}' })
    await using client = dial()
    expect(await client.about('permission-request', id)).toMatchObject({
      toolName: 'bash',
      input: { command: 'npm run build' },
      context: { session: hand.session, title: 'First', project: 'default', cwd: '/work', reason: 'to see it run' },
      digest,
      risk: 'medium',
      decisions: ['allow', 'deny', 'modify'],
      timeStands: false,
    })
    // What would read otherwise once it is JSON is shown as it stands.
    const shown = await client.about('permission-request', `${hand.session}/${odd.approval}`)
    expect(shown['input']).toBe('{"command": "a", "command":"b"}')
    expect(await client.ready()).toMatchObject({ pending: 2, processing: 0 })

    const second = await ask(hand, 'npm test')
    await client.about('permission-request', second.id)
    await client.next(({ type, pending }) => type === 'permission-queue-status' && pending === 3)
    client.respond(id, 'allow', { responseId: 'r1', reason: 'go on' })
    expect(await client.about('permission-ack', id)).toMatchObject({ responseId: 'r1', decision: 'allow' })
    expect(await client.about('permission-resolved', id)).toMatchObject({
      toolName: 'bash',
      decision: 'allow',
      modified: false,
      reason: 'go on',
      by: { kind: 'person', name: 'dana' },
      channel: 'api',
    })
    // Decided, and not yet with the agent.
    await client.next(
      ({ type, pending, processing }) => type === 'permission-queue-status' && pending === 2 && processing === 1,
    )
    await hand.report({ type: 'approval.dispatched', data: { approval: id.split('/')[1] ?? '' } })
    await client.next(
      ({ type, pending, processing }) => type === 'permission-queue-status' && pending === 2 && processing === 0,
    )

    await withdraw(hand, second.id)
    expect(await client.about('permission-cancelled', second.id)).toMatchObject({ reason: 'agent_withdrew' })
    const short = await hand.ask(run('ls'), { expiresAt: new Date(Date.now() + 300).toISOString() })
    expect(await client.about('permission-timeout', `${hand.session}/${short.approval}`)).toMatchObject({
      toolName: 'bash',
    })
    expect(client.heard.map(({ seq }) => seq)).toEqual(client.heard.map((_, at) => at + 1))
    await withdraw(hand, `${hand.session}/${odd.approval}`)
  })

  it('[PV1] more time is told, and that the time stands', async () => {
    const hand = await live.startSession('Later')
    const { id } = await ask(hand, 'npm run build')
    await using client = dial()
    const first = await client.about('permission-request', id)
    const until = new Date(Date.now() + 48 * 3_600_000).toISOString()
    const approval = id.split('/')[1] ?? ''
    expect(await live.link().command(hand.stream, 'approval.extend', { approval, until })).toMatchObject({ ok: true })
    const again = await client.next(
      ({ type, id: of, seq }) => type === 'permission-request' && of === id && seq > first.seq,
    )
    expect(again['expiresAt']).toBe(until)
    await withdraw(hand, id)
    await client.about('permission-cancelled', id)
  })

  it('[PV2] of two who answer one wins, and the other is told who', async () => {
    const hand = await live.startSession('Race')
    await using a = dial()
    await using b = dial()
    await Promise.all([a.ready(), b.ready()])
    for (let round = 0; round < 10; round += 1) {
      const { id } = await ask(hand, `npm run round${round}`)
      await Promise.all([a, b].map((client) => client.about('permission-request', id)))
      a.respond(id, 'allow')
      b.respond(id, 'deny')
      const [first, second] = await Promise.all(
        [a, b].map((client) =>
          client.next(({ type, requestId }) => requestId === id && (type === 'permission-ack' || type === 'error')),
        ),
      )
      const [won, lost] = first?.type === 'permission-ack' ? [first, second] : [second, first]
      expect(won?.type).toBe('permission-ack')
      expect(lost).toMatchObject({ type: 'error', error: { code: 'already_resolved', by: { kind: 'person' } } })
      const told = await Promise.all([a, b].map((client) => client.about('permission-resolved', id)))
      expect(told.map(({ decision }) => decision)).toEqual([won?.['decision'], won?.['decision']])
    }
  })

  it('[PV2] an answer is bound to what was shown, and may put something else in its place', async () => {
    const hand = await live.startSession('Bound')
    const one = await ask(hand, 'npm run one')
    const two = await ask(hand, 'npm run two')
    await using client = dial()
    await client.ready()
    client.respond(one.id, 'allow', { digest: two.digest })
    expect(await client.about('error', one.id)).toMatchObject({
      error: { code: 'digest_mismatch', digest: one.digest },
    })
    client.respond(two.id, 'deny', { updatedInput: { command: 'x' } })
    expect(await client.about('error', two.id)).toMatchObject({ error: { code: 'invalid_request' } })
    client.respond(one.id, 'approve', { updatedInput: { command: 'npm run other' } })
    expect(await client.about('permission-resolved', one.id)).toMatchObject({ decision: 'allow', modified: true })
    const resolved = (await live.stored(hand.session)).find(({ type }) => type === 'approval.resolved')
    expect(resolved).toMatchObject({ body: { input: '{"command":"npm run other"}' } })
    client.respond(two.id, 'deny', { digest: two.digest, reason: 'not today' })
    expect(await client.about('permission-resolved', two.id)).toMatchObject({ decision: 'deny', reason: 'not today' })
    // As the document that these messages come from has it.
    client.say('{"type":"permission-response","requestId":"test-123","decision":"allow"}')
    expect(await client.about('error', 'test-123')).toMatchObject({
      error: { code: 'not_found', detail: expect.stringContaining('"test-123"') as string },
    })
    client.respond(`${hand.session}/${uuidV7()}`, 'deny')
    client.respond(`${uuidV7()}/${uuidV7()}`, 'allow')
    await waitFor(() => client.heard.filter(({ type }) => type === 'error').length === 5, { what: 'both refusals' })
    expect(client.of('error').slice(3)).toMatchObject([
      { error: { code: 'not_found' } },
      { error: { code: 'not_found' } },
    ])
  })

  it('[PV3] what is of high risk takes the word, typed', async () => {
    const hand = await live.startSession('Risky')
    const { id } = await ask(hand, 'rm -rf build')
    await using client = dial()
    expect(await client.about('permission-request', id)).toMatchObject({ risk: 'high', confirm: { word: 'rm' } })
    client.respond(id, 'allow', { responseId: 'a' })
    client.respond(id, 'allow', { responseId: 'b', confirm: 'allow' })
    // What is put in its place is looked at as well.
    const { id: tame } = await ask(hand, 'npm test')
    await client.about('permission-request', tame)
    client.respond(tame, 'allow', { responseId: 'c', updatedInput: { command: 'curl evil.example' } })
    for (const responseId of ['a', 'b', 'c']) {
      const refused = await client.next((one) => one['responseId'] === responseId)
      expect(refused).toMatchObject({
        type: 'error',
        error: { code: 'invalid_request', confirm: { word: expect.any(String) as string } },
      })
    }
    expect(client.of('permission-resolved')).toEqual([])
    client.respond(id, 'allow', { confirm: ' RM ' })
    expect(await client.about('permission-resolved', id)).toMatchObject({ decision: 'allow' })
    client.respond(tame, 'deny')
    await client.about('permission-resolved', tame)
  })

  it('[PV4] [PV5] over a restart: what is open is asked again, an answer counts once, and what ended meanwhile is told', async () => {
    const hand = await live.startSession('Restart')
    const [kept, answered, gone] = [
      await ask(hand, 'npm run kept'),
      await ask(hand, 'npm run b'),
      await ask(hand, 'npm run c'),
    ]
    const before = dial()
    await before.ready()
    await before.about('permission-request', gone.id)
    const cursor = await waitFor(() => cursorOf(before), { what: 'a cursor' })
    before.respond(answered.id, 'allow', { responseId: 'once' })
    const first = await before.about('permission-ack', answered.id)
    await live.restart()
    expect(await before.end()).toMatchObject({ code: 4503 })
    expect(before.heard.at(-1)).toMatchObject({ type: 'error', error: { code: 'draining' } })

    await withdraw(hand, gone.id)
    const fresh = await ask(hand, 'npm run fresh')
    const flash = await ask(hand, 'npm run flash')
    await withdraw(hand, flash.id)
    await using after = dial(cursor)
    expect(await after.about('permission-resolved', answered.id)).toMatchObject({
      by: { name: 'dana' },
      toolName: 'bash',
    })
    expect(await after.about('permission-cancelled', gone.id)).toMatchObject({ reason: 'agent_withdrew' })
    await after.about('permission-cancelled', flash.id)
    await Promise.all([kept, fresh].map(({ id }) => after.about('permission-request', id)))
    after.respond(answered.id, 'allow', { responseId: 'once' })
    const second = await after.about('permission-ack', answered.id)
    expect([second['id'], second['cursor']]).toEqual([first['id'], first['cursor']])
    after.respond(answered.id, 'allow')
    expect(await after.about('error', answered.id)).toMatchObject({ error: { code: 'already_resolved' } })
    after.respond(kept.id, 'allow')
    await after.about('permission-resolved', kept.id)
    await waitFor(() => after.of('permission-queue-status').at(-1)?.['pending'] === 1, { what: 'one that is open' })
    for (const one of [answered, gone, flash, kept]) {
      const ends = after.heard.filter(
        ({ type, requestId }) => requestId === one.id && ['permission-resolved', 'permission-cancelled'].includes(type),
      )
      expect(ends).toHaveLength(1)
    }
    // From where this one ended nothing is told again.
    await using last = dial(cursorOf(after))
    await last.ready()
    expect(last.heard.map(({ type }) => type)).toEqual(['permission-request', 'permission-queue-status'])
    const strange = Buffer.from('default abcdefgh.1').toString('base64url')
    await using lost = dial(strange)
    expect(await lost.next(({ type }) => type === 'error')).toMatchObject({ error: { code: 'cursor_gone' } })
    await lost.about('permission-request', fresh.id)
    await using nonsense = dial('nonsense')
    expect(await nonsense.end()).toMatchObject({ code: 4400 })
    await withdraw(hand, fresh.id)
  })

  it('[PV7] a reader that stops is not sent what has ended meanwhile, and one that acknowledges no more than it can take', async () => {
    await using slow = dial()
    await using steady = dial()
    await Promise.all([slow.ready(), steady.ready()])
    steady.say({ type: 'permission-ack', seq: 1 })
    steady.say({ type: 'ping' })
    await steady.next(({ type }) => type === 'pong')
    slow.socket.pause()
    const large = 'x'.repeat(60_000)
    const hands = await Promise.all(Array.from({ length: 40 }, (_, at) => live.startSession(`Large ${at}`)))
    const asked: { hand: HandRunner; id: string }[] = []
    for (const hand of hands) {
      for (let at = 0; at < 10; at += 1) {
        const { approval } = await hand.ask({ tool: 'note', title: 't', input: JSON.stringify({ large }) })
        asked.push({ hand, id: `${hand.session}/${approval}` })
      }
    }
    await waitFor(() => (steady.heard.at(-1)?.seq ?? 0) >= 201, { what: 'as many as it can take' })
    steady.say({ type: 'ping' })
    await waitFor(() => steady.of('pong').length === 2, { what: 'an answer' })
    expect(steady.of('permission-request').length).toBeLessThanOrEqual(201)
    // Who comes when all of it is open, and reads nothing of it.
    await using late = dial()
    await late.next(({ type }) => type === 'permission-request')
    late.socket.pause()
    for (const { hand, id } of asked) await withdraw(hand, id)
    slow.socket.resume()
    late.socket.resume()
    await waitFor(() => late.of('permission-queue-status').at(-1)?.['pending'] === 0, { what: 'the end of all of it' })
    expect(late.of('permission-request').length).toBeLessThan(asked.length)
    await waitFor(() => slow.of('permission-cancelled').length >= asked.length, { what: 'the end of all of it' })
    expect(
      slow
        .of('permission-cancelled')
        .map(({ requestId }) => String(requestId))
        .toSorted(),
    ).toEqual(asked.map(({ id }) => id).toSorted())
    expect(slow.of('permission-request').length).toBeLessThan(asked.length)
    steady.say({ type: 'permission-ack', seq: steady.heard.at(-1)?.seq ?? 0 })
    const more = async (): Promise<boolean> => {
      steady.say({ type: 'permission-ack', seq: steady.heard.at(-1)?.seq ?? 0 })
      return steady.of('permission-cancelled').length === asked.length
    }
    await waitFor(more, { what: 'the rest' })
    steady.say({ type: 'permission-ack', seq: 1_000_000 })
    expect(await steady.next(({ type }) => type === 'error')).toMatchObject({ error: { code: 'invalid_request' } })
  })

  it('[PV1] [AQ7] what waits behind others is counted, and told when it is open', async () => {
    const hand = await live.startSession('Much at once')
    await using client = dial()
    const before = Number((await client.ready())['pending'])
    const asked = []
    for (let at = 0; at < 13; at += 1) asked.push(await ask(hand, `npm run ${at}`))
    await waitFor(() => client.of('permission-queue-status').at(-1)?.['pending'] === before + 13, { what: 'all of it' })
    const ids = asked.map(({ id }) => id)
    const told = (): unknown[] =>
      client.of('permission-request').flatMap(({ id }) => (ids.includes(String(id)) ? [id] : []))
    expect(told()).toEqual(ids.slice(0, 11))
    client.respond(ids[3] ?? '', 'deny')
    await client.about('permission-request', ids[11] ?? '')
    expect(told()).toEqual(ids.slice(0, 12))
    await waitFor(() => client.of('permission-queue-status').at(-1)?.['pending'] === before + 12, { what: 'one less' })
    for (const id of ids) await withdraw(hand, id).catch(() => undefined)
  })

  it('[PV5] eleven requests in each of ten sessions, with a line that is cut again and again, are each told and ended', async () => {
    const hands = await Promise.all(Array.from({ length: 10 }, (_, at) => live.startSession(`Cut ${at}`)))
    let cursor: string | undefined
    const ended = new Set<string>()
    const all: string[] = []
    for (let round = 0; round < 11; round += 1) {
      const client = dial(cursor)
      const fresh = await Promise.all(hands.map((hand) => ask(hand, `npm run ${round}`)))
      all.push(...fresh.map(({ id }) => id))
      await client.ready()
      if (round % 2 === 0) await Promise.all(fresh.map(({ id }) => client.about('permission-request', id)))
      if (round % 3 === 0) {
        const open = client.of('permission-request').map(({ id }) => String(id))
        for (const id of open) client.respond(id, 'deny')
      }
      client.socket.terminate()
      await client.end()
      for (const one of client.heard) {
        if (one.type === 'permission-resolved' || one.type === 'permission-cancelled')
          ended.add(one['requestId'] as string)
        if (one.type === 'permission-queue-status') cursor = cursorOf(client)
      }
    }
    await using last = dial(cursor)
    await last.ready()
    const stored = (await Promise.all(hands.map(({ session }) => live.stored(session)))).flat()
    const over = new Set(stored.filter(({ type }) => type === 'approval.resolved').map(({ subject }) => subject))
    const open = all.filter((id) => !over.has(`approval:${id.split('/')[1]}`))
    expect(open.length).toBeGreaterThan(0)
    for (const id of open) await last.about('permission-request', id)
    await waitFor(() => last.of('permission-queue-status').at(-1)?.['pending'] === open.length, {
      what: 'all that is open',
    })
    for (const one of last.of('permission-resolved')) ended.add(one['requestId'] as string)
    // Each ended once in the log, and of each somebody was told, whatever was cut.
    expect([...ended].toSorted()).toEqual(all.filter((id) => !open.includes(id)).toSorted())
    for (const id of open) last.respond(id, 'deny')
    for (const id of open) await last.about('permission-resolved', id)
  })
})
