import { SearchPage } from '@hotline/protocol/search'
import { uuidV7 } from '@hotline/client/uuid'
import type { HandRunner } from '@hotline/testing/hand-runner'
import { waitFor } from '@hotline/testing/wait-for'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Callers, openCallers, type Who } from './callers.ts'

let callers: Callers
let hand: HandRunner
const task = uuidV7()
const elsewhere = uuidV7()

beforeAll(async () => {
  callers = await openCallers()
  hand = await callers.server.startSession('Mend the gate')
  const { owner } = callers
  await callers.command(by('approver in a browser'), hand.stream, 'message.send', {
    text: 'Paint the quince fence <b>red</b>',
  })
  await hand.report(
    {
      type: 'message.posted',
      data: { message: 'm1', role: 'agent', chars: 1, queued: false },
      body: { text: 'A quince fence is painted' },
    },
    {
      type: 'output.appended',
      data: { source: 'stdout', encoding: 'utf8', bytes: 1 },
      body: { text: 'quince build done' },
    },
  )
  await callers.command(owner, `task:${task}`, 'task.create', { project: 'default', title: 'A card about the quince' })
  await callers.command(owner, `session:${elsewhere}`, 'session.start', {
    project: 'elsewhere',
    agent: 'demo',
    title: 'quince canary far away',
  })
  await waitFor(async () => (await search(owner, 'q=quince&limit=50')).hits.length === 5 || undefined, {
    what: 'all to be found',
  })
})
afterAll(() => callers[Symbol.asyncDispose]())

const by = (name: string): Who => {
  const who = callers.who[name]
  if (!who) throw new Error(`there is nobody called "${name}"`)
  return who
}

async function search(who: Who, query: string): Promise<SearchPage> {
  const { status, body } = await callers.call('GET', `/api/search?${query}`, who)
  expect([query, status, body]).toEqual([query, 200, expect.anything()])
  return SearchPage.parse(body)
}

const kinds = ({ hits }: SearchPage): string[] => hits.map(({ kind }) => kind).toSorted()

describe('searching', () => {
  it('[SE1] [SE6] tells who said what, where and when, with what was found in plain text', async () => {
    const { hits, next, indexedTo } = await search(callers.owner, 'q=paint+fence&kind=message')
    const stored = await callers.server.stored(hand.session)
    const event = stored.find(({ type }) => type === 'message.posted')
    expect(hits).toEqual([
      {
        stream: hand.stream,
        seq: event?.seq,
        subject: event?.subject,
        at: event?.at,
        kind: 'message',
        actor: { kind: 'person', id: callers.accounts['approver'] },
        name: 'approver',
        project: 'default',
        session: hand.session,
        task: null,
        agent: 'demo',
        title: 'Mend the gate',
        snippet: 'Paint the quince fence <b>red</b>',
        ranges: [
          [0, 5],
          [17, 22],
        ],
      },
    ])
    expect(next).toBeNull()
    expect(Date.parse(indexedTo ?? '')).toBeGreaterThan(Date.parse(event?.at ?? ''))
    const [card] = (await search(callers.owner, 'q=card+quince')).hits
    expect(card).toMatchObject({
      stream: `task:${task}`,
      task,
      session: null,
      title: 'A card about the quince',
      kind: 'task',
    })
    const [agents] = (await search(callers.owner, 'q=quince+painted')).hits
    expect(agents).toMatchObject({ name: 'demo', actor: { kind: 'agent' } })
  })

  it('[SE4] finds what belongs to the projects that one may read, whatever is asked for', async () => {
    const all = await search(callers.owner, 'q=quince&limit=50')
    expect(kinds(all)).toEqual(['message', 'message', 'output', 'session', 'task'])
    for (const name of ['viewer in a browser', 'viewer by token', 'service for default']) {
      const { hits } = await search(by(name), 'q=quince&limit=50')
      expect([name, hits.length, JSON.stringify(hits).includes('canary')]).toEqual([name, 4, false])
    }
    for (const query of ['q=canary', `q=quince&session=${elsewhere}`, 'q=far*', 'q=quince+-fence+-build+-card']) {
      expect([query, (await search(by('viewer by token'), query)).hits]).toEqual([query, []])
    }
    for (const name of ['stranger in a browser', 'owner for no project', 'runner', 'runner of this machine']) {
      expect([name, (await search(by(name), 'q=quince')).hits]).toEqual([name, []])
    }
    expect((await search(by('owner for elsewhere'), 'q=quince')).hits).toHaveLength(1)
    const hidden = await callers.call('GET', '/api/search?q=quince&project=elsewhere', by('viewer in a browser'))
    expect(hidden.status).toBe(404)
    expect((await callers.call('GET', '/api/search?q=quince', by('owner with scope write'))).status).toBe(403)
    expect((await callers.call('GET', '/api/search?q=quince', {})).status).toBe(401)
  })

  it('[SE4] stops finding at once what a person may not read any more', async () => {
    const pawn = await callers.call(
      'POST',
      '/api/auth/sign-in',
      {},
      { name: 'pawn', password: 'nine slow barges under the bridge' },
    )
    const who = { cookie: pawn.cookie }
    const account = callers.accounts['pawn']
    await callers.command(callers.owner, 'project:default', 'member.add', { account, role: 'viewer' })
    const inside = await callers.call(
      'POST',
      '/api/auth/sign-in',
      {},
      { name: 'pawn', password: 'nine slow barges under the bridge' },
    )
    expect((await search({ cookie: inside.cookie }, 'q=quince')).hits).toHaveLength(4)
    await callers.command(callers.owner, 'project:default', 'member.remove', { account })
    for (const cookie of [inside.cookie, who.cookie]) {
      const after = await callers.call('GET', '/api/search?q=quince', { cookie })
      expect([200, 401]).toContain(after.status)
      if (after.status === 200) expect((after.body as SearchPage).hits).toEqual([])
    }
  })

  it('[SE5] is narrowed by project, session, card, kind, author, agent and time', async () => {
    const { owner, accounts } = callers
    const count = async (more: string): Promise<number> =>
      (await search(owner, `q=quince&limit=50&${more}`)).hits.length
    expect(await count('project=elsewhere')).toBe(1)
    expect(await count(`session=${hand.session}`)).toBe(3)
    expect(await count(`task=${task}`)).toBe(1)
    expect(await count('kind=output')).toBe(1)
    expect(await count('author=Approver')).toBe(1)
    expect(await count(`author=${accounts['approver']}`)).toBe(1)
    expect(await count('author=agent')).toBeGreaterThan(0)
    expect(await count('agent=demo')).toBe(4)
    expect(await count('since=2020-01-01')).toBe(5)
    expect(await count('until=2020-01-01')).toBe(0)
  })

  it('[SE6] is read page by page', async () => {
    const whole = await search(callers.owner, 'q=quince&limit=50')
    const paged: string[] = []
    for (let next: string | null = ''; next !== null;) {
      const page: SearchPage = await search(callers.owner, `q=quince&limit=2${next === '' ? '' : `&cursor=${next}`}`)
      expect(page.hits.length).toBeLessThanOrEqual(2)
      paged.push(...page.hits.map(({ stream, seq }) => `${stream} ${seq}`))
      next = page.next
    }
    expect(paged).toEqual(whole.hits.map(({ stream, seq }) => `${stream} ${seq}`))
  })

  it('[SE2] answers whatever is looked for, and refuses what is no question', async () => {
    for (const q of [
      '"',
      '*',
      '-',
      'NEAR(a b)',
      "'; DROP TABLE pieces --",
      'a AND',
      '{said}:x',
      '\u0000',
      '🦊',
      '('.repeat(200),
    ]) {
      await search(callers.owner, `q=${encodeURIComponent(q)}`)
    }
    for (const wrong of [
      '',
      'q=',
      `q=${'a'.repeat(201)}`,
      'q=a&kind=all',
      'q=a&limit=51',
      'q=a&cursor=x',
      'q=a&since=soon',
      'q=a&more=1',
      'q=a&q=b',
    ]) {
      expect([wrong, (await callers.call('GET', `/api/search?${wrong}`, callers.owner)).status]).toEqual([wrong, 400])
    }
  })

  it('[SE7] [SE9] still finds everything after a restart, once it says up to when it is complete', async () => {
    await callers.server.restart()
    const { hits } = await waitFor(
      async () => {
        const page = await search(callers.owner, 'q=quince&limit=50')
        return page.indexedTo === null ? undefined : page
      },
      { what: 'the index to have gone through the log' },
    )
    expect(hits).toHaveLength(5)
  })
})
