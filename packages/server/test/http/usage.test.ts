import { uuidV7 } from '@hotline/client/uuid'
import type { UsagePage } from '@hotline/protocol/usage'
import type { HandRunner } from '@hotline/testing/hand-runner'
import { waitFor } from '@hotline/testing/wait-for'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Callers, openCallers, type Who } from './callers.ts'

let callers: Callers
let owner: Who
beforeAll(async () => {
  callers = await openCallers()
  ;({ owner } = callers)
})
afterAll(() => callers[Symbol.asyncDispose]())

const read = async (query: string, who: Who = owner): Promise<UsagePage> => {
  const answer = await callers.call('GET', `/api/usage${query}`, who)
  expect(answer.status).toBe(200)
  return answer.body
}
const uses = (hand: HandRunner, inputTokens: number, amount?: number): Promise<unknown> =>
  hand.report({
    type: 'usage.reported',
    data: { inputTokens, outputTokens: 1, ...(amount === undefined ? {} : { cost: { amount, currency: 'USD' } }) },
  })

describe('what agents used up', () => {
  it('[US2] is told by session, agent, person, project and day, the most first, as the agents told it', async () => {
    const [little, much] = [await callers.server.startSession('Little'), await callers.server.startSession('Much')]
    await uses(little, 10)
    await uses(much, 500, 0.5)
    await uses(much, 900, 0.75)
    await waitFor(async () => (await read('')).rows[0]?.inputTokens === 900, { what: 'the last word' })
    const today = new Date().toISOString().slice(0, 10)
    const page = await read('')
    expect(page.to <= today).toBe(true)
    expect(page.rows.slice(0, 2)).toEqual([
      {
        key: much.session,
        name: 'Much',
        sessions: 1,
        inputTokens: 900,
        outputTokens: 1,
        costs: [{ amount: 0.75, currency: 'USD' }],
      },
      { key: little.session, name: 'Little', sessions: 1, inputTokens: 10, outputTokens: 1, costs: [] },
    ])
    const whole = { sessions: 2, inputTokens: 910, outputTokens: 2, costs: [{ amount: 0.75, currency: 'USD' }] }
    expect((await read('?by=person')).rows).toEqual([{ key: callers.accounts['owner'], name: 'dana', ...whole }])
    expect((await read('?by=project')).rows).toEqual([{ key: 'default', name: expect.any(String), ...whole }])
    expect((await read('?by=agent')).rows).toMatchObject([{ name: null, ...whole }])
    expect((await read('?by=day')).rows).toMatchObject([{ name: null, ...whole }])
    expect(await read('?by=session&limit=1')).toMatchObject({ rows: [{ key: much.session }], more: 1 })
    expect((await read('?from=2020-01-01&to=2020-12-31')).rows).toEqual([])
  })

  it('[US2] is there after a restart, and counts on', async () => {
    const hand = await callers.server.startSession('Over a restart')
    await uses(hand, 70)
    await callers.server.restart()
    await uses(hand, 90)
    const ofIt = async (): Promise<number | undefined> =>
      (await read('')).rows.find(({ key }) => key === hand.session)?.inputTokens
    await waitFor(async () => (await ofIt()) === 90, { what: 'what it used since' })
  })

  it('[US3] of a project of others nothing is told, and what cannot be read is said', async () => {
    const stranger = callers.who['stranger by token'] ?? {}
    for (const by of ['session', 'agent', 'person', 'project', 'day']) {
      expect((await read(`?by=${by}`, stranger)).rows).toEqual([])
    }
    for (const project of ['default', uuidV7()]) {
      expect((await callers.call('GET', `/api/usage?project=${project}`, stranger)).status).toBe(404)
    }
    for (const wrong of ['by=colour', 'from=yesterday', 'from=2026-02-30', 'limit=0', 'limit=501', 'x=1']) {
      expect((await callers.call('GET', `/api/usage?${wrong}`, owner)).status).toBe(400)
    }
  })
})
