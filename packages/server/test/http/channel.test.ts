import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { openLink } from '@hotline/client/open-link'
import { uuidV7 } from '@hotline/client/uuid'
import { type LiveServer, startLiveServer } from '@hotline/testing/live-server'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'

let live: LiveServer
let cookie = ''
let service = ''
let pat = ''

async function post(path: string, headers: Record<string, string>, body: object): Promise<Response> {
  const all = { 'content-type': 'application/json', origin: live.url, ...headers }
  return await fetch(new URL(path, live.url), { method: 'POST', headers: all, body: JSON.stringify(body) })
}

beforeAll(async () => {
  live = await startLiveServer()
  const password = 'a long walk over the wet meadow'
  const signedIn = await post('/api/auth/sign-in', {}, { name: 'dana', password })
  cookie = signedIn.headers.get('set-cookie')?.split(';')[0] ?? ''
  expect((await post('/api/auth/confirm', { cookie }, { password })).status).toBeLessThan(300)
  const make = async (kind: string): Promise<string> => {
    const made = (await (await post('/api/keys', { cookie }, { kind, name: kind })).json()) as { token: string }
    return made.token
  }
  service = await make('svc')
  pat = await make('pat')
})
afterAll(() => live[Symbol.asyncDispose]())

const idOf = (token: string): string => token.split('_')[2] ?? ''

/** The channel of the session that is started so. */
async function channelOf(headers: Record<string, string>): Promise<string | undefined> {
  const session = uuidV7()
  const command = {
    id: uuidV7(),
    stream: `session:${session}`,
    type: 'session.start',
    data: { project: 'default', agent: 'demo' },
  }
  const answer = await post('/api/commands', headers, command)
  expect(answer.status).toBe(200)
  return (await live.stored(session))[0]?.channel
}

describe('through what somebody spoke', () => {
  const claim = 'hotline-cli/pts-3'

  it('[X9] a personal token may say that it is the command line; its key stands beside that', async () => {
    const authorization = `Bearer ${pat}`
    expect(await channelOf({ authorization })).toBe(`api:${idOf(pat)}`)
    expect(await channelOf({ authorization, 'hotline-client': claim })).toBe(`cli:pts-3/${idOf(pat)}`)
  })

  it('[X9] over a socket too, and it stays so when the rights are looked at again', async () => {
    await using link = openLink({ url: live.url, credential: { kind: 'token', token: pat }, client: claim })
    const runner = await live.startSession()
    const channels = async (): Promise<unknown[]> =>
      (await live.stored(runner.session)).filter(({ type }) => type === 'message.posted').map(({ channel }) => channel)
    await link.command(runner.stream, 'message.send', { text: 'before' })
    // Every connection of an account looks at its rights when they change, here because it owns one project more.
    const create = { id: uuidV7(), stream: `project:${uuidV7()}`, type: 'project.create', data: { name: 'Another' } }
    expect((await post('/api/commands', { cookie }, create)).status).toBe(200)
    for (let at = 0; at < 20; at += 1) await link.command(runner.stream, 'message.send', { text: `after ${at}` })
    expect(await channels()).toEqual(Array.from({ length: 21 }, () => `cli:pts-3/${idOf(pat)}`))
  })

  it('[X9] what is known by its credential cannot be called otherwise', async () => {
    expect(await channelOf({ authorization: `Bearer ${service}`, 'hotline-client': claim })).toBe(
      `api:${idOf(service)}`,
    )
    expect(await channelOf({ cookie, 'hotline-client': claim })).toMatch(/^web:/)
    const runnerKey = readFileSync(join(live.dataDir, 'runner-key'), 'utf8').trim()
    await using machine = openLink({ url: live.url, credential: { kind: 'token', token: runnerKey }, client: claim })
    const session = uuidV7()
    const start = { id: uuidV7(), stream: `session:${session}`, type: 'session.start' }
    const data = { project: 'default', agent: 'demo' }
    await post('/api/commands', { authorization: `Bearer ${pat}` }, { ...start, data })
    expect(await machine.command(`session:${session}`, 'lease.take', {})).toMatchObject({ ok: true })
    expect((await live.stored(session)).find(({ type }) => type === 'session.lease_taken')?.channel).toBe(
      `runner:${idOf(runnerKey)}`,
    )
  })

  it.each([
    ['web:dana'],
    ['runner:r1'],
    ['hotline-cli'],
    ['hotline-cli/'],
    ['hotline-cli/../web:1'],
    ['hotline-cli/a b'],
    ['hotline-cli/a/b'],
    ['hotline-cli/web:1'],
    [`hotline-cli/${'x'.repeat(41)}`],
    ['HOTLINE-CLI/pts-3'],
    ['hotline-cli/pts-3, hotline-cli/pts-4'],
  ])('[X9] "%s" is no claim', async (client) => {
    const headers = { authorization: `Bearer ${pat}`, 'hotline-client': client }
    expect(await channelOf(headers)).toBe(`api:${idOf(pat)}`)
  })
})
