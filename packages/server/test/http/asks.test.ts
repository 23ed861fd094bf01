import { decideMany } from '@hotline/client/decide-many'
import { uuidV7 } from '@hotline/client/uuid'
import { AskPage, DecideManyAnswer, QueueStatus, SnoozePage } from '@hotline/protocol/asks'
import type { Problem } from '@hotline/protocol/error'
import { SessionPage } from '@hotline/protocol/http'
import type { HandRunner } from '@hotline/testing/hand-runner'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Callers, openCallers, type Who } from './callers.ts'

let callers: Callers
beforeAll(async () => {
  callers = await openCallers()
})
afterAll(() => callers[Symbol.asyncDispose]())

const by = (name: string): Who => callers.who[name] ?? {}
const run = (command: string) => ({ tool: 'bash', title: command, input: JSON.stringify({ command }) })

async function asks(who: Who, query = ''): Promise<AskPage> {
  const { status, body } = await callers.call('GET', `/api/asks${query}`, who)
  expect([status, body]).toEqual([200, expect.anything()])
  return AskPage.parse(body)
}

interface Asked {
  hand: HandRunner
  approval: string
  digest: string
}

async function asking(command: string): Promise<Asked> {
  const hand = await callers.server.startSession(command)
  return { hand, ...(await hand.ask(run(command))) }
}

const answerTo = ({ hand, approval, digest }: Asked, verdict: 'allow' | 'deny' = 'allow', more: object = {}) => ({
  id: uuidV7(),
  session: hand.session,
  approval,
  digest,
  verdict,
  ...more,
})

async function decide(who: Who, decisions: readonly object[]): Promise<DecideManyAnswer['outcomes']> {
  const { status, body } = await callers.call('POST', '/api/approvals/decide', who, { decisions })
  expect([status, body]).toEqual([200, expect.anything()])
  return DecideManyAnswer.parse(body).outcomes
}

const told = (outcomes: DecideManyAnswer['outcomes']): unknown[] =>
  outcomes.map((one) => (one.ok ? 'ok' : [one.problem.code, one.problem.status]))

describe('what is asked', () => {
  it('[P22] is read whole across sessions, with its risk and the sub-agent that asks, by those who may read it', async () => {
    const first = await callers.server.startSession('First')
    await first.report(
      { type: 'turn.started', data: { turn: 't1' } },
      { type: 'step.started', data: { step: 'parent', kind: 'other', turn: 't1' }, body: { title: 'tester' } },
      {
        type: 'step.started',
        data: { step: 's1', kind: 'execute', turn: 't1', parent: 'parent' },
        body: { title: 'x' },
      },
    )
    const risky = await first.ask(run('rm -rf x'), { step: 's1' })
    await first.report({ type: 'question.asked', data: { question: 'q1' }, body: { text: 'Which region?' } })
    const second = await callers.server.startSession('Second')
    const plain = await second.ask(run('npm test'))
    const later = new Date(Date.now() + 48 * 3_600_000).toISOString()
    await callers.command(callers.owner, second.stream, 'approval.extend', { approval: plain.approval, until: later })

    const sessions = `?sessions=${first.session},${second.session}`
    const page = await asks(by('viewer by token'), sessions)
    expect(page.next).toBeNull()
    const of = (ask: string) => page.asks.find((one) => one.ask === ask)
    expect(page.asks).toHaveLength(3)
    expect(of(risky.approval)).toMatchObject({
      kind: 'approval',
      session: first.session,
      project: 'default',
      agent: 'demo',
      title: 'First',
      risk: 'high',
      subAgent: 'tester',
      events: [{ type: 'approval.requested', body: run('rm -rf x'), data: { digest: risky.digest } }],
    })
    expect(of('q1')).toMatchObject({ kind: 'question', risk: null, events: [{ body: { text: 'Which region?' } }] })
    expect(of(plain.approval)).toMatchObject({
      risk: 'medium',
      subAgent: null,
      events: [{ type: 'approval.requested' }, { type: 'approval.extended', data: { expiresAt: later } }],
    })
    // Following from there brings what becomes of it, and nothing else before that.
    const [epoch, seq] = (of(plain.approval)?.cursor ?? '').split('.')
    const stored = await callers.server.stored(second.session)
    expect(epoch).toMatch(/./)
    expect(Number(seq)).toBe(stored.length)

    expect((await asks(by('stranger by token'), sessions)).asks).toEqual([])
    expect((await asks(by('owner for elsewhere'), sessions)).asks).toEqual([])
    expect((await asks(by('owner by token'))).asks.map(({ ask }) => ask)).toEqual(
      expect.arrayContaining([risky.approval, 'q1', plain.approval]),
    )
    const nothing = await callers.call('GET', '/api/asks?project=elsewhere', by('approver by token'))
    expect([nothing.status, (nothing.body as Problem).code]).toEqual([404, 'not_found'])

    await callers.command(callers.owner, second.stream, 'approval.decide', { ...plain, verdict: 'deny' })
    expect((await asks(callers.owner, sessions)).asks.map(({ ask }) => ask)).toEqual([risky.approval, 'q1'])
  })

  it('[P22] comes in pages, each of whole sessions, and none is left out', async () => {
    const wanted: string[] = []
    const text = 'x'.repeat(30_000)
    for (let at = 0; at < 12; at += 1) {
      const hand = await callers.server.startSession(`Long ${at}`)
      for (let of = 0; of < 3; of += 1) wanted.push((await hand.ask(run(`echo ${at} ${of} ${text}`))).approval)
    }
    const found: string[] = []
    let pages = 0
    for (let before: string | null | undefined; before !== null; pages += 1) {
      const page: AskPage = await asks(
        callers.owner,
        before === undefined ? '' : `?before=${encodeURIComponent(before)}`,
      )
      // Three of thirty kilobytes, with the session that is over the limit left for the next page.
      expect(JSON.stringify(page).length).toBeLessThan(400_000)
      found.push(...page.asks.map(({ ask }) => ask))
      before = page.next
    }
    expect(pages).toBeGreaterThan(3)
    expect(new Set(found).size).toBe(found.length)
    expect(found).toEqual(expect.arrayContaining(wanted))
    const bad = await callers.call(
      'GET',
      `/api/asks?sessions=${Array.from({ length: 51 }, () => 'a').join(',')}`,
      callers.owner,
    )
    expect(bad.status).toBe(400)
    const odd = await callers.call('GET', '/api/asks?sessions=a,../b', callers.owner)
    expect(odd.status).toBe(400)
  })
})

describe('what is put aside', () => {
  it('[SN4] is told to the person whose it is, as far as their credential reads it, and to nobody else', async () => {
    const { hand, approval } = await asking('npm run aside')
    const own = `account:${callers.accounts['approver']}`
    const until = new Date(Date.now() + 3_600_000).toISOString()
    const snooze = (who: Who, stream = own, more: object = {}) =>
      callers.call('POST', '/api/commands', who, {
        id: uuidV7(),
        stream,
        type: 'ask.snooze',
        data: { session: hand.session, ask: approval, until, ...more },
      })
    const toldTo = async (who: Who) => {
      const { body } = await callers.call('GET', '/api/snoozes', who)
      const page = SnoozePage.parse(body)
      const [row] = (await asks(who, `?sessions=${hand.session}`)).asks
      return [page.snoozes.map(({ ask }) => ask), page.cursor !== null, row?.snoozedUntil]
    }
    expect(await toldTo(by('approver by token'))).toEqual([[], false, null])
    expect((await snooze(by('approver by token'))).body).toMatchObject({ until })
    // Another credential of the same person, in a browser.
    expect(await toldTo(by('approver in a browser'))).toEqual([[approval], true, until])
    expect(await toldTo(by('viewer in a browser'))).toEqual([[], false, null])
    expect(await toldTo(by('service of approver'))).toEqual([[], false, null])
    expect(await toldTo(by('stranger by token'))).toEqual([[], false, undefined])
    for (const [who, status] of [
      ['viewer by token', 404],
      ['service of approver', 403],
      ['owner by token', 404],
      ['runner', 403],
    ] as const) {
      expect([who, (await snooze(by(who))).status]).toEqual([who, status])
    }
    // Who may read may put aside; a key for other projects may not, nor see it.
    expect((await snooze(by('viewer by token'), `account:${callers.accounts['viewer']}`)).status).toBe(200)
    const owner = `account:${callers.accounts['owner']}`
    expect((await snooze(by('owner with scope write'), owner)).status).toBe(403)
    expect((await snooze(by('owner for elsewhere'), owner)).status).toBe(404)
    expect((await snooze(by('owner by token'), owner)).status).toBe(200)
    expect(await toldTo(by('owner for elsewhere'))).toEqual([[], false, undefined])
    expect(await toldTo(by('owner by token'))).toEqual([[approval], true, until])
    // None of it is in the audit, and its stream is nobody's page.
    const { body } = await callers.call('GET', '/api/audit', by('owner in a browser'))
    expect(JSON.stringify(body)).not.toContain('ask.snoozed')
  })

  it('[SN3] a time that is none, is over, or too far is refused by name', async () => {
    const { hand, approval } = await asking('npm run never')
    const own = `account:${callers.accounts['owner']}`
    const refused = async (data: object) => {
      const frame = {
        id: uuidV7(),
        stream: own,
        type: 'ask.snooze',
        data: { session: hand.session, ask: approval, ...data },
      }
      const { status, body } = await callers.call('POST', '/api/commands', by('owner by token'), frame)
      return [status, (body as Problem).code, (body as Problem).detail]
    }
    expect(await refused({ until: 'tomorrow' })).toEqual([
      400,
      'invalid_request',
      expect.stringContaining('data.until'),
    ])
    expect(await refused({})).toEqual([400, 'invalid_request', expect.stringContaining('data.until')])
    const past = '2020-01-01T00:00:00Z'
    expect(await refused({ until: past })).toEqual([400, 'invalid_request', expect.stringContaining('over already')])
    const far = new Date(Date.now() + 31 * 86_400_000).toISOString()
    expect(await refused({ until: far })).toEqual([400, 'invalid_request', expect.stringContaining('30 days')])
    const soon = new Date(Date.now() + 60_000).toISOString()
    expect(await refused({ until: soon, ask: 'other' })).toEqual([409, 'already_resolved', expect.anything()])
    expect(await refused({ until: soon, session: 'other' })).toEqual([404, 'not_found', expect.anything()])
  })
})

describe('many answers at once', () => {
  it('[P21] [T25] each is decided by itself, and what became of each is said', async () => {
    const [one, two, won, gone, changed, risky] = await Promise.all(
      ['npm test', 'npm run a', 'npm run b', 'npm run c', 'npm run d', 'git push'].map(asking),
    )
    if (!one || !two || !won || !gone || !changed || !risky) throw new Error('not asked')
    await callers.command(by('admin by token'), won.hand.stream, 'approval.decide', {
      approval: won.approval,
      digest: won.digest,
      verdict: 'deny',
    })
    await gone.hand.report({ type: 'approval.cancelled', data: { approval: gone.approval, reason: 'agent_withdrew' } })
    const decisions = [
      answerTo(one, 'allow', { reason: 'Go on.' }),
      answerTo(won),
      answerTo(gone),
      { ...answerTo(changed), digest: 'a'.repeat(64) },
      answerTo(risky),
      { ...answerTo(two), session: 'none' },
      answerTo(two, 'deny'),
    ]
    const outcomes = await decide(callers.owner, decisions)
    expect(told(outcomes)).toEqual([
      'ok',
      ['already_resolved', 409],
      ['approval_expired', 410],
      ['digest_mismatch', 409],
      ['forbidden', 403],
      ['not_found', 404],
      'ok',
    ])
    expect(outcomes[1]).toMatchObject({
      approval: won.approval,
      problem: { by: { id: callers.accounts['admin'] }, outcome: 'denied', at: expect.any(String) as string },
    })
    expect(outcomes[4]).toMatchObject({
      problem: { risk: 'high', detail: expect.stringContaining('by itself') as string },
    })
    const ends = async ({ hand, approval }: Asked): Promise<unknown[]> =>
      (await callers.server.stored(hand.session))
        .filter(({ subject, type }) => subject === `approval:${approval}` && type !== 'approval.requested')
        .map(({ type, data, body }) => [type, data['outcome'], body?.['reason']])
    expect(await ends(one)).toEqual([['approval.resolved', 'allowed', 'Go on.']])
    expect(await ends(two)).toEqual([['approval.resolved', 'denied', undefined]])
    expect([...(await ends(changed)), ...(await ends(risky))]).toEqual([])
    // Sent again, each happens once and gets the answer that it got.
    expect(await decide(callers.owner, decisions)).toEqual(outcomes)
    expect(await ends(one)).toHaveLength(1)
    // Denying is safe for everything.
    expect(told(await decide(callers.owner, [answerTo(risky, 'deny')]))).toEqual(['ok'])
  })

  it('[P21] [X4] [X5] by those alone who may decide each of them', async () => {
    const here = await asking('npm test')
    expect(told(await decide(by('operator by token'), [answerTo(here)]))).toEqual([['forbidden', 403]])
    expect(told(await decide(by('stranger by token'), [answerTo(here)]))).toEqual([['not_found', 404]])
    const none = await callers.call('POST', '/api/approvals/decide', by('owner with scope read'), {
      decisions: [answerTo(here)],
    })
    expect(none.status).toBe(403)
    expect(told(await decide(by('approver by token'), [answerTo(here)]))).toEqual(['ok'])
  })

  it('[P21] [V2] no more than fifty, and nothing but yes and no', async () => {
    const here = await asking('npm test')
    for (const decisions of [
      [],
      Array.from({ length: 51 }, () => answerTo(here)),
      [answerTo(here, 'allow', { scope: 'project' })],
      [{ ...answerTo(here), verdict: 'modify', input: 'x' }],
      [{ ...answerTo(here), digest: 'x' }],
    ]) {
      const { status } = await callers.call('POST', '/api/approvals/decide', callers.owner, { decisions })
      expect(status).toBe(400)
    }
  })

  it('[P21] the SDK sends as many as there are, and says what became of each', async () => {
    const all = await Promise.all(Array.from({ length: 55 }, (_, at) => asking(`npm run task-${at}`)))
    const decisions = all.map(({ hand, approval, digest }) => ({
      session: hand.session,
      approval,
      digest,
      verdict: 'allow' as const,
    }))
    const outcomes = await decideMany(callers.server.link(), decisions)
    expect(outcomes).toEqual(all.map(({ approval }) => expect.objectContaining({ ok: true, approval })))
  })
})

describe('what is of high risk', () => {
  it('[P20] [T28] is allowed by admins and owners, by no service and no credential without the scope; anybody who decides can deny it', async () => {
    const allow = async (name: string): Promise<string> => {
      const { hand, approval, digest } = await asking('git push')
      const data = { approval, digest, verdict: 'allow' }
      const sent = { id: uuidV7(), stream: hand.stream, type: 'approval.decide', data }
      const { status, body } = await callers.call('POST', '/api/commands', by(name), sent)
      if (status === 200) return 'allowed'
      const { code, detail } = body as Problem
      expect([name, code]).toEqual([name, 'forbidden'])
      const denied = { ...sent, id: uuidV7(), data: { ...data, verdict: 'deny' } }
      expect([name, (await callers.call('POST', '/api/commands', by(name), denied)).status]).toEqual([name, 200])
      return detail
    }
    expect(await allow('owner by token')).toBe('allowed')
    expect(await allow('admin in a browser')).toBe('allowed')
    expect(await allow('owner with scopes decide and decide_high')).toBe('allowed')
    expect(await allow('owner by the token of this machine')).toBe('allowed')
    expect(await allow('approver in a browser')).toMatch(/high risk.*Your role here is approver.*ask an admin or owner/)
    expect(await allow('service of admin')).toMatch(/takes a person/)
    expect(await allow('service of approver, signed')).toMatch(/takes a person/)
    expect(await allow('owner with scope decide')).toMatch(/does not have the scope "decide_high"/)
    const made = await callers.call('POST', '/api/keys', callers.owner, {
      kind: 'svc',
      name: 'x',
      scopes: ['decide_high'],
    })
    expect([made.status, (made.body as Problem).code]).toEqual([400, 'invalid_request'])
    const listed = await callers.call('GET', '/api/keys', by('service of admin'))
    expect(JSON.stringify(listed.body)).not.toContain('decide_high')
  })

  it('[P20] is what somebody makes of it, too', async () => {
    const { hand, approval, digest } = await asking('npm test')
    const data = { approval, digest, verdict: 'modify', input: run('git push').input }
    const send = async (name: string): Promise<unknown> =>
      (
        await callers.call('POST', '/api/commands', by(name), {
          id: uuidV7(),
          stream: hand.stream,
          type: 'approval.decide',
          data,
        })
      ).status
    expect(await send('approver by token')).toBe(403)
    expect(await send('admin by token')).toBe(200)
  })
})

describe('the queue of approvals', () => {
  it('[AQ7] is counted over the projects of the caller, and shows in the lists of sessions', async () => {
    const counts = async (who: Who): Promise<QueueStatus> => {
      const { status, body } = await callers.call('GET', '/api/asks/status', who)
      expect([status, body]).toEqual([200, expect.anything()])
      return QueueStatus.parse(body)
    }
    const hand = await callers.server.startSession('Much at once')
    const before = await counts(by('viewer by token'))
    const asked = []
    for (let at = 0; at < 8; at += 1) asked.push(await hand.ask(run(`ls ${at}`)))
    const [first] = asked
    if (!first) throw new Error('nothing was asked')
    const [outcome] = await decide(callers.owner, [answerTo({ hand, ...first })])
    expect(outcome).toMatchObject({ ok: true })
    const after = await counts(by('viewer by token'))
    expect([after.open - before.open, after.waiting, after.pending - before.pending]).toEqual([5, 2, 7])
    expect(after.sessions.find(({ session }) => session === hand.session)).toMatchObject({
      open: 5,
      waiting: 2,
      processing: 1,
    })
    const { body } = await callers.call('GET', `/api/sessions`, by('viewer by token'))
    const row = SessionPage.parse(body).sessions.find(({ session }) => session === hand.session)
    expect(row).toMatchObject({ waitingApprovals: 2, answersUnderWay: 1 })
    expect(row?.openApprovals).toEqual(asked.slice(1, 6).map(({ approval }) => approval))
    const page = await asks(by('viewer by token'), `?sessions=${hand.session}`)
    expect(page.asks.map(({ ask }) => ask)).toEqual(row?.openApprovals)
    const stranger = await callers.call('GET', '/api/asks/status?project=nowhere', by('viewer by token'))
    expect(stranger.status).toBe(404)
  })
})
