import { createHmac } from 'node:crypto'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { httpRequest } from '@hotline/client/http-request'
import { uuidV7 } from '@hotline/client/uuid'
import { type LiveServer, startLiveServer } from '@hotline/testing/live-server'
import { openTempDir } from '@hotline/testing/temp-dir'
import { waitFor } from '@hotline/testing/wait-for'
import { describe, expect, it } from 'vitest'
import { agentEvent, freely } from '@hotline/testing/log-bench'
import { sessionRow } from '@hotline/testing/log-contract-append'
import { HeadBook } from '../../src/audit/head-book.ts'
import { type HeadKey, HeadKeys, newHeadKey } from '../../src/audit/head-key.ts'
import { HeadKeeper } from '../../src/audit/head-keeper.ts'
import type { HeadLine } from '../../src/audit/head-sender.ts'
import { signKeyChange } from '../../src/audit/key-change.ts'
import { signHead, type SignedHead } from '../../src/audit/signed-head.ts'
import { verifyLog } from '../../src/audit/verify-log.ts'
import { readConfig } from '../../src/config/read-config.ts'
import { openMemoryBus } from '../../src/log/memory-bus.ts'
import { openToProve } from '../../src/log/open-to-prove.ts'
import { systemClock } from '../../src/machine/clock.ts'
import { openSqliteBench } from '../log-benches.ts'

async function keyOf(live: LiveServer): Promise<string> {
  const answer = await httpRequest<{ key: string }>(
    live.url,
    { kind: 'token', token: live.token },
    'GET',
    '/api/audit/key',
  )
  if (!answer.ok) throw new Error(answer.problem.detail)
  return answer.value.key
}

function headsIn(text: string): SignedHead[] {
  return text
    .split('\n')
    .flatMap((line) => (line === '' ? [] : [JSON.parse(line) as HeadLine]))
    .filter((line) => 'stream' in line)
}

const secret = `whsec_${Buffer.alloc(32, 7).toString('base64')}`
const otherSecret = `whsec_${Buffer.alloc(32, 9).toString('base64')}`

async function* bytesOf(text: string): AsyncGenerator<Uint8Array> {
  yield Buffer.from(text)
}

describe('heads that go out', () => {
  it('[AU8] are signed after so many events, when a session is over and when the server goes down, and fit the log', async () => {
    await using dir = await openTempDir('hotline-heads-')
    const path = join(dir.path, 'heads')
    const found = (stream: string): SignedHead[] =>
      headsIn(readFileSync(path, 'utf8')).filter((head) => head.stream === stream)
    const live = await startLiveServer({
      env: { HOTLINE_AUDIT_HEADS_FILE: path, HOTLINE_AUDIT_HEADS_EVENTS: '40', HOTLINE_AUDIT_HEADS_MINUTES: '1440' },
    })
    let stopped = false
    try {
      const hand = await live.startSession()
      const turn = { type: 'turn.started', data: { turn: 't' } } as const
      const ended = { type: 'turn.ended', data: { turn: 't', end: 'end' }, body: {} } as const
      for (let turns = 0; turns < 20; turns += 1) await hand.report(turn, ended)
      await waitFor(() => found(hand.stream).length > 0, { what: 'the head after forty events' })
      expect(statSync(path).mode & 0o777).toBe(0o600)
      const key = await keyOf(live)
      const credential = { kind: 'token', token: live.token } as const
      const abort = { id: uuidV7(), stream: hand.stream, type: 'session.abort', data: {} }
      expect(await httpRequest(live.url, credential, 'POST', '/api/commands', abort)).toMatchObject({ ok: true })
      await hand.report({
        type: 'session.state_changed',
        data: { from: 'active', to: 'aborted', reason: 'requested', exit: { code: 0, signal: null } },
        body: {},
      })
      const stored = await live.stored(hand.session)
      await waitFor(() => found(hand.stream).at(-1)?.seq === stored.length, {
        what: 'the head of the session that is over',
      })
      expect(found(hand.stream).at(-1)).toMatchObject({ hash: stored.at(-1)?.hash, key })

      const late = await live.startSession()
      const rename = { id: uuidV7(), stream: late.stream, type: 'session.rename', data: { title: 'Late' } }
      await httpRequest(live.url, credential, 'POST', '/api/commands', rename)
      const last = (await live.stored(late.session)).length
      const log = await openToProve({ kind: 'sqlite', dir: live.dataDir })
      const text = readFileSync(path, 'utf8')
      const proof = await verifyLog(log, 'all', await HeadBook.read(bytesOf(text), key))
      await log[Symbol.asyncDispose]()
      expect(proof.faults).toEqual([])
      expect(proof.heads).toBe(headsIn(text).length)
      stopped = true
      await live[Symbol.asyncDispose]()
      expect(found(late.stream).at(-1)?.seq).toBeGreaterThanOrEqual(last)
    } finally {
      if (!stopped) await live[Symbol.asyncDispose]()
    }
  })

  it('[AU8] are signed at the start for what moved lately, which a server that died may not have sent', async () => {
    await using bench = await openSqliteBench()
    const project = { project: 'p1', name: 'One', created_at: '' }
    const session = sessionRow('one', { project: 'p1' })
    const rows = [{ table: 'projects', put: project } as const, { table: 'sessions', put: session } as const]
    const streams = ['server:main', 'project:p1', 'session:one']
    await bench.store.append(streams.map((stream) => ({ ...freely(stream, agentEvent('x'), agentEvent('y')), rows })))
    await using dir = await openTempDir('hotline-heads-')
    const sent: HeadLine[] = []
    const keeper = new HeadKeeper({
      store: bench.store,
      lists: bench.lists,
      bus: openMemoryBus(),
      clock: systemClock,
      keys: HeadKeys.open(dir.path),
      places: [
        async (lines) => {
          sent.push(...lines)
          return 'taken'
        },
      ],
      every: { events: 100, ms: 3_600_000 },
      fault: (error) => {
        throw error
      },
    })
    await keeper[Symbol.asyncDispose]()
    expect(sent.map((line) => ('stream' in line ? `${line.stream} ${line.seq}` : line.key))).toEqual(
      streams.map((stream) => `${stream} 2`),
    )
  })

  it('[AU8] [AU12] are posted until they are taken, signed as every webhook is, and hold nothing up meanwhile', async () => {
    const bodies: string[] = []
    let refusals = 0
    const receiver = createServer((request, response) => {
      let body = ''
      request.on('data', (chunk: Buffer) => (body += chunk.toString()))
      request.on('end', () => {
        if (refusals < 1) {
          refusals += 1
          // Nobody is followed to another address.
          response.writeHead(307, { location: '/elsewhere' }).end()
          return
        }
        const { 'webhook-id': id, 'webhook-timestamp': at, 'webhook-signature': signatures } = request.headers
        const key = Buffer.from(secret.slice('whsec_'.length), 'base64')
        const own = createHmac('sha256', key)
          .update(`${String(id)}.${String(at)}.${body}`)
          .digest('base64')
        if (!String(signatures).split(' ').includes(`v1,${own}`)) {
          response.writeHead(401).end()
          return
        }
        if (request.url === '/heads?secret=1') bodies.push(body)
        response.writeHead(204).end()
      })
    })
    await new Promise<void>((resolve) => receiver.listen(0, '127.0.0.1', resolve))
    const url = `http://127.0.0.1:${(receiver.address() as AddressInfo).port}/heads?secret=1`
    const live = await startLiveServer({
      env: {
        HOTLINE_AUDIT_HEADS_WEBHOOK: url,
        HOTLINE_AUDIT_HEADS_EVENTS: '1',
        HOTLINE_AUDIT_HEADS_SECRET: `${otherSecret} ${secret}`,
      },
    })
    try {
      const hand = await live.startSession()
      const last = (await live.stored(hand.session)).length
      const all = (): SignedHead[] => headsIn(bodies.join(''))
      await waitFor(() => all().some(({ stream, seq }) => stream === hand.stream && seq === last), {
        what: 'the newest head',
      })
      expect(refusals).toBe(1)
      expect((await HeadBook.read(bytesOf(bodies.join('')), await keyOf(live))).of(hand.stream).at(-1)?.seq).toBe(last)
    } finally {
      await live[Symbol.asyncDispose]()
      receiver.closeAllConnections()
      receiver.close()
    }
  })

  it('[AU8] go to no address but https and this machine, and the key is its owners alone and stays', async () => {
    const wrong = [
      'http://127.example.org/',
      'http://example.org/',
      'ftp://127.0.0.1/',
      'https://me:secret@example.org/',
      'nothing',
    ]
    for (const HOTLINE_AUDIT_HEADS_WEBHOOK of wrong) {
      expect(() => readConfig({ HOTLINE_AUDIT_HEADS_WEBHOOK })).toThrow('HOTLINE_AUDIT_HEADS_WEBHOOK')
      expect(() => readConfig({ HOTLINE_AUDIT_HEADS_WEBHOOK })).not.toThrow(HOTLINE_AUDIT_HEADS_WEBHOOK)
    }
    for (const HOTLINE_AUDIT_HEADS_SECRET of ['whsec_short', `${secret} ${secret} ${secret}`, secret.slice(6)]) {
      expect(() => readConfig({ HOTLINE_AUDIT_HEADS_SECRET })).toThrow('HOTLINE_AUDIT_HEADS_SECRET must be whsec_')
      expect(() => readConfig({ HOTLINE_AUDIT_HEADS_SECRET })).not.toThrow(HOTLINE_AUDIT_HEADS_SECRET)
    }
    for (const right of ['https://example.org/a?b=c', 'http://localhost:9/', 'http://[::1]:9/']) {
      expect(readConfig({ HOTLINE_AUDIT_HEADS_WEBHOOK: right }).auditHeads.webhook).toBe(right)
    }
    await using dir = await openTempDir('hotline-heads-')
    const first = HeadKeys.open(dir.path).current
    const path = join(dir.path, 'audit-key')
    expect(statSync(path).mode & 0o777).toBe(0o600)
    expect(HeadKeys.open(dir.path).current.publicText).toBe(first.publicText)
    writeFileSync(path, 'xxxxxxx')
    expect(() => HeadKeys.open(dir.path)).toThrow('Put it back from a copy')
  })
})

describe('a key that takes the place of another', () => {
  const headOf = (key: HeadKey, at: string, seq = 1): SignedHead =>
    signHead({ stream: 'session:s1', epoch: 'e', seq, hash: 'a'.repeat(64), at }, key)
  const linesOf = (...lines: readonly HeadLine[]): AsyncIterable<Uint8Array> =>
    bytesOf(lines.map((line) => `${JSON.stringify(line)}\n`).join(''))
  const [first, second, third] = [newHeadKey(), newHeadKey(), newHeadKey()]
  const toSecond = signKeyChange(first, second, '2026-01-02T00:00:00.000Z')
  const toThird = signKeyChange(second, third, '2026-01-03T00:00:00.000Z')
  const heads = [
    headOf(first, '2026-01-01T00:00:00.000Z', 1),
    headOf(first, '2026-01-02T00:00:00.000Z', 2),
    headOf(second, '2026-01-02T00:00:01.000Z', 3),
    headOf(third, '2026-01-04T00:00:00.000Z', 4),
  ]

  it('[AU11] is believed by whoever knows any of them, and so is what those before it signed in their time', async () => {
    for (const { publicText } of [first, second, third]) {
      const book = await HeadBook.read(linesOf(toThird, ...heads, toSecond, toSecond), publicText)
      expect(book.of('session:s1').map(({ seq }) => seq)).toEqual([1, 2, 3, 4])
    }
  })

  it('[AU11] what a key signed after it was withdrawn is named, and so are keys that nothing leads to', async () => {
    const late = headOf(first, '2026-01-02T00:00:00.001Z', 9)
    for (const { publicText } of [first, second, third]) {
      await expect(HeadBook.read(linesOf(...heads, toSecond, toThird, late), publicText)).rejects.toThrow(
        'Line 7 of the heads (session:s1 event 9) was signed at 2026-01-02T00:00:00.001Z with a key that was withdrawn at 2026-01-02T00:00:00.000Z.',
      )
    }
    await expect(HeadBook.read(linesOf(...heads, toSecond), first.publicText)).rejects.toThrow('Line 4 of the heads')
    await expect(HeadBook.read(linesOf(...heads, toSecond, toThird), newHeadKey().publicText)).rejects.toThrow(
      'was not signed with this key',
    )
  })

  it('[AU11] nobody names one without having both, and two that are named show that the key was in other hands', async () => {
    const forged = signKeyChange(newHeadKey(), newHeadKey(), toSecond.at)
    const claims = [
      { ...forged, before: first.publicText },
      { ...toSecond, at: '2027-01-01T00:00:00.000Z' },
      { ...toSecond, counterSignature: toSecond.signature },
    ]
    for (const claim of claims) {
      await expect(HeadBook.read(linesOf(claim), first.publicText)).rejects.toThrow('not signed by both keys')
    }
    const stolen = signKeyChange(first, third, toSecond.at)
    for (const { publicText } of [first, second]) {
      await expect(HeadBook.read(linesOf(toSecond, stolen), publicText)).rejects.toThrow(
        'Two keys are said to come after',
      )
    }
  })

  it('[AU11] is made by an admin, stands in the log, goes where heads go, and is there after a restart', async () => {
    await using dir = await openTempDir('hotline-heads-')
    const path = join(dir.path, 'heads')
    const live = await startLiveServer({ env: { HOTLINE_AUDIT_HEADS_FILE: path, HOTLINE_AUDIT_HEADS_EVENTS: '1' } })
    try {
      const credential = { kind: 'token', token: live.token } as const
      const hand = await live.startSession()
      const old = await keyOf(live)
      const refused = await httpRequest(live.url, credential, 'POST', '/api/audit/key')
      expect(refused).toMatchObject({ ok: false, problem: { code: 'password_needed' } })
      const password = 'a long walk over the wet meadow'
      await httpRequest(live.url, credential, 'POST', '/api/auth/confirm', { password })
      const answer = await httpRequest<{ key: string; before: { key: string }[] }>(
        live.url,
        credential,
        'POST',
        '/api/audit/key',
      )
      if (!answer.ok) throw new Error(answer.problem.detail)
      const { key, before } = answer.value
      expect(before.map((one) => one.key)).toEqual([old])
      expect(key).not.toBe(old)
      await hand.report({ type: 'turn.started', data: { turn: 't' } })
      await waitFor(() => headsIn(readFileSync(path, 'utf8')).some((head) => head.key === key), {
        what: 'a head of the new key',
      })
      const log = await openToProve({ kind: 'sqlite', dir: live.dataDir })
      for (const known of [old, key]) {
        const book = await HeadBook.read(bytesOf(readFileSync(path, 'utf8')), known)
        expect((await verifyLog(log, 'all', book)).faults).toEqual([])
        expect(book.of(hand.stream).map((head) => head.key)).toEqual(expect.arrayContaining([old, key]))
      }
      await log[Symbol.asyncDispose]()
      const audit = await httpRequest<{ entries: { outcome: string; name: string }[] }>(
        live.url,
        credential,
        'GET',
        '/api/audit?type=head_key.replaced',
      )
      expect(audit).toMatchObject({ value: { entries: [{ outcome: expect.stringContaining(key) as unknown }] } })
      const stored = HeadKeys.open(live.dataDir)
      expect([stored.current.publicText, stored.changes.map((change) => change.before)]).toEqual([key, [old]])
    } finally {
      await live[Symbol.asyncDispose]()
    }
  })
})
