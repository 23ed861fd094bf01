import type { ConnectionPage } from '@hotline/protocol/http'
import { enterRaw, say } from '@hotline/testing/raw-conversation'
import { waitFor } from '@hotline/testing/wait-for'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { type Callers, openCallers, type Who } from './callers.ts'

let callers: Callers
beforeAll(async () => {
  callers = await openCallers()
})
afterAll(() => callers[Symbol.asyncDispose]())

async function seenBy(who: Who): Promise<ConnectionPage> {
  const { status, body } = await callers.call('GET', '/api/connections', who)
  expect(status).toBe(200)
  return body
}

it('[O10] connections are listed with who, through what and since when, and are gone from the list when they end', async () => {
  const hand = await callers.server.startSession('Somebody is here')
  const socket = await enterRaw(callers.port, callers.server.token)
  await say(socket, { t: 'follow', stream: hand.stream, after: '0' })
  const mine = await waitFor(
    async () =>
      (await seenBy(callers.owner)).connections.find(({ kind, streams }) => kind === 'person' && streams === 1),
    { what: 'the connection with its stream' },
  )
  expect(mine).toMatchObject({ name: 'dana', address: '127.0.0.1', channel: expect.stringMatching(/^api:/) })
  expect(Math.abs(Date.now() - Date.parse(mine.since))).toBeLessThan(60_000)
  expect(mine.silentMs).toBeGreaterThanOrEqual(0)
  expect((await seenBy(callers.owner)).connections).toContainEqual(expect.objectContaining({ kind: 'runner' }))
  await socket[Symbol.asyncDispose]()
  await waitFor(
    async () => !(await seenBy(callers.owner)).connections.some(({ connection }) => connection === mine.connection),
    { what: 'its end' },
  )
})

it('[O10] who is no admin sees their own, and a key that is limited to projects what came with it', async () => {
  await using socket = await enterRaw(callers.port, callers.server.token)
  expect(socket).toBeDefined()
  const all = await seenBy(callers.owner)
  expect(all.count).toBe(all.connections.length)
  expect(all.count).toBeGreaterThan(0)
  const strangers: string[] = []
  for (const [name, who] of Object.entries(callers.who)) {
    const { status, body: me } = await callers.call('GET', '/api/me', who)
    if (status === 401) continue
    const { connections, count } = await seenBy(who)
    expect([name, count]).toEqual([name, connections.length])
    if (me.admin === true) continue
    expect([name, connections.filter(({ kind, id }) => kind === 'person' && id !== me.id)]).toEqual([name, []])
    if (connections.length === 0) strangers.push(name)
  }
  expect(strangers).toEqual(expect.arrayContaining(['approver in a browser']))
})
