import { Readable } from 'node:stream'
import { AuditPage } from '@hotline/protocol/audit'
import type { Envelope } from '@hotline/protocol/event'
import type { HandRunner } from '@hotline/testing/hand-runner'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { verifyExport } from '../../src/audit/verify-export.ts'
import { type Callers, openCallers, type Who } from './callers.ts'

let callers: Callers
let hand: HandRunner
let decided: { approval: string; digest: string }

beforeAll(async () => {
  callers = await openCallers()
  hand = await callers.server.startSession('Mend the gate')
  decided = await hand.ask({ tool: 'bash', title: '=cmd|calc, "now"', input: 'make' })
  await callers.command(by('approver in a browser'), hand.stream, 'approval.decide', {
    ...decided,
    verdict: 'deny',
    scope: 'once',
    reason: 'Not today.',
  })
  await callers.command(callers.owner, 'project:elsewhere', 'project.rename', { name: 'Far away' })
})
afterAll(() => callers[Symbol.asyncDispose]())

const by = (name: string): Who => {
  const who = callers.who[name]
  if (!who) throw new Error(`there is nobody called "${name}"`)
  return who
}

async function audit(who: Who, query = ''): Promise<AuditPage> {
  const { status, body } = await callers.call('GET', `/api/audit?limit=200${query}`, who)
  expect([status, body]).toEqual([200, expect.anything()])
  return AuditPage.parse(body)
}

const types = ({ entries }: AuditPage): string[] => entries.map(({ type }) => type)

describe('the audit', () => {
  it('[AU1] says who decided what, when, through what, from where, with its digest and what came of it', async () => {
    const stored = await callers.server.stored(hand.session)
    const event = stored.find(({ type }) => type === 'approval.resolved') as Envelope
    const { entries } = await audit(callers.owner, `&session=${hand.session}&type=approval.resolved`)
    expect(entries).toEqual([
      {
        stream: hand.stream,
        seq: event.seq,
        at: event.at,
        type: 'approval.resolved',
        group: 'decision',
        actor: { kind: 'person', id: callers.accounts['approver'] },
        name: 'approver',
        channel: expect.stringMatching(/^web:/),
        address: expect.stringMatching(/^(127\.0\.0\.1|::1)$/),
        project: 'default',
        session: hand.session,
        title: 'Mend the gate',
        digest: decided.digest,
        about: '=cmd|calc, "now"',
        outcome: 'denied - Not today.',
        hash: event.hash,
      },
    ])
    const signedIn = await audit(callers.owner, '&type=account.signed_in&actor=Approver')
    expect(signedIn.entries).toMatchObject([
      {
        name: 'approver',
        outcome: 'approver signed in',
        about: null,
        address: expect.stringMatching(/127|::1/),
        session: null,
      },
    ])
    const keys = await audit(callers.owner, '&type=key.created&actor=viewer')
    expect(keys.entries.map(({ outcome }) => outcome)).toEqual([
      'the key of a service made for viewer',
      'a personal token made for viewer',
    ])
  })

  it('[AU2] an admin of the server sees all of it, others what belongs to their projects, and nobody anothers address', async () => {
    const all = await audit(callers.owner)
    expect(all.reach).toBe('server')
    expect(types(all)).toEqual(
      expect.arrayContaining(['account.created', 'key.created', 'project.renamed', 'member.added']),
    )
    const mine = await audit(by('viewer in a browser'))
    expect(mine.reach).toBe('projects')
    expect(new Set(mine.entries.map(({ project }) => project))).toEqual(new Set(['default']))
    expect(types(mine)).toContain('approval.resolved')
    expect(types(mine).some((type) => /^(account|key|runner)\./.test(type))).toBe(false)
    expect(mine.entries.filter(({ address }) => address !== null)).toEqual([])
    const own = await audit(by('approver in a browser'), '&type=approval.resolved')
    expect(own.entries).toMatchObject([{ address: expect.any(String) as string }])
    expect((await audit(by('stranger in a browser'))).entries).toEqual([])
    expect((await audit(by('owner for elsewhere'))).reach).toBe('projects')
    expect(new Set((await audit(by('owner for elsewhere'))).entries.map(({ project }) => project))).toEqual(
      new Set(['elsewhere']),
    )
    expect((await audit(by('runner'))).entries).toEqual([])
    const hidden = await callers.call('GET', '/api/audit?project=elsewhere', by('viewer in a browser'))
    expect(hidden.status).toBe(404)
    expect((await callers.call('GET', '/api/audit', by('owner with scope write'))).status).toBe(403)
  })

  it('[AU2] is filtered by time, actor, kind, session, project and text, and read page by page', async () => {
    const whole = await audit(callers.owner)
    const paged: string[] = []
    for (let next: string | null = ''; next !== null;) {
      const before: string = next === '' ? '' : `&before=${encodeURIComponent(next)}`
      const { body } = await callers.call('GET', `/api/audit?limit=7${before}`, callers.owner)
      const page = AuditPage.parse(body)
      paged.push(...page.entries.map(({ stream, seq }) => `${stream} ${seq}`))
      next = page.next
    }
    expect(paged).toEqual(whole.entries.map(({ stream, seq }) => `${stream} ${seq}`))
    expect(types(await audit(callers.owner, '&text=NOT%20TODAY'))).toEqual(['approval.resolved'])
    expect(types(await audit(callers.owner, `&text=${decided.digest}`))).toEqual([
      'approval.resolved',
      'approval.requested',
    ])
    expect(types(await audit(callers.owner, '&text=nobody-said-this'))).toEqual([])
    expect(types(await audit(callers.owner, '&project=elsewhere&group=access'))).toEqual([
      'project.renamed',
      'member.added',
      'project.created',
    ])
    expect(types(await audit(callers.owner, '&group=rule'))).toEqual([])
    expect(types(await audit(callers.owner, '&to=2020-01-01'))).toEqual([])
    const at = whole.entries.at(-1)?.at ?? ''
    expect((await audit(callers.owner, `&from=${at}`)).entries).toHaveLength(whole.entries.length)
    for (const wrong of ['from=yesterday', 'type=nothing', 'group=all', 'before=x', 'limit=1000', 'to=2026-13-01']) {
      expect([wrong, (await callers.call('GET', `/api/audit?${wrong}`, callers.owner)).status]).toEqual([wrong, 400])
    }
  })

  it('[AU4] goes out as NDJSON and as CSV in which nothing is a formula', async () => {
    const { entries } = await audit(callers.owner)
    const ndjson = await callers.call('GET', '/api/audit/export?format=ndjson', callers.owner)
    const lines = (ndjson.body as string).trimEnd().split('\n')
    expect(lines.map((line) => JSON.parse(line) as unknown)).toEqual(entries)
    const csv = (await callers.call('GET', `/api/audit/export?format=csv&session=${hand.session}`, callers.owner))
      .body as string
    const [head, ...rows] = csv.trimEnd().split('\r\n')
    expect(head).toMatch(/^at,group,type,actor,/)
    expect(rows).toHaveLength((await audit(callers.owner, `&session=${hand.session}`)).entries.length)
    expect(csv).toContain(`,"'=cmd|calc, ""now""",`)
    expect(csv).not.toMatch(/(^|,|")[=+@-]/m)
    const theirs = (await callers.call('GET', '/api/audit/export?format=ndjson', by('viewer in a browser')))
      .body as string
    expect(theirs).not.toContain('"project":"elsewhere"')
    expect(theirs).not.toContain('"account.created"')
  })

  it('[AU5] the chain of a session goes to whoever may read it, and all of it to admins of the server', async () => {
    const chain = async (who: Who, query = ''): Promise<[number, string]> => {
      const { status, body } = await callers.call('GET', `/api/audit/chain${query}`, who)
      return [status, String(body)]
    }
    const verify = async (text: string): Promise<unknown> => verifyExport(Readable.from([Buffer.from(text)]))
    const [, all] = await chain(callers.owner)
    expect(await verify(all)).toMatchObject({ of: 'all', faults: [] })
    expect(all).toContain('{"stream":"server:main"')
    const [, one] = await chain(by('viewer in a browser'), `?session=${hand.session}`)
    expect(await verify(one)).toMatchObject({ of: hand.stream, streams: 1, faults: [] })
    expect((await chain(by('viewer in a browser')))[0]).toBe(403)
    expect((await chain(by('stranger in a browser'), `?session=${hand.session}`))[0]).toBe(404)
    expect((await chain(callers.owner, '?session=nothing'))[0]).toBe(404)
  })
})
