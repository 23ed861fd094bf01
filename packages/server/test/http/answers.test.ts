import { Accepted } from '@hotline/protocol/command-answer'
import * as http from '@hotline/protocol/http'
import { type LiveServer, startLiveServer } from '@hotline/testing/live-server'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { z } from 'zod'
import { owner } from './http-stack.ts'

/** A whole server with something of everything in it. */
let server: LiveServer
let session: string
let runnerKey: string

async function ask(method: string, path: string, body?: unknown, token = server.token): Promise<unknown> {
  const response = await fetch(new URL(path, server.url), {
    method,
    headers: {
      authorization: `Bearer ${token}`,
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
    },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  })
  expect([path, response.status]).toEqual([path, method === 'POST' && path !== '/api/commands' ? 201 : 200])
  return response.json()
}

beforeAll(async () => {
  server = await startLiveServer()
  const hand = await server.startSession()
  await hand.ask({ tool: 'run', title: 'List', input: 'ls' })
  session = hand.session
  const confirmed = await fetch(new URL('/api/auth/confirm', server.url), {
    method: 'POST',
    headers: { authorization: `Bearer ${server.token}`, 'content-type': 'application/json' },
    body: JSON.stringify({ password: owner.password }),
  })
  expect(confirmed.status).toBe(204)
  const made = http.CreatedKey.parse(await ask('POST', '/api/keys', { kind: 'run', name: 'another machine' }))
  runnerKey = made.token
})
afterAll(() => server[Symbol.asyncDispose]())

describe('answers', () => {
  // Nothing more than the schema says either: what is not declared would never be noticed to be there.
  const whole = (schema: z.ZodType, value: unknown): void => expect(schema.parse(value)).toEqual(value)

  it.each([
    ['/healthz', http.HealthAnswer],
    ['/readyz', http.HealthAnswer],
    ['/api/auth/state', http.AuthState],
    ['/api/me', http.Me],
    ['/api/people', http.PeoplePage],
    ['/api/accounts', http.AccountPage],
    ['/api/keys', http.KeyPage],
    ['/api/agents', http.AgentPage],
    ['/api/sessions', http.SessionPage],
    ['/api/sessions/:session', http.SessionSnapshot],
    ['/api/sessions/:session/events', http.EventPage],
    ['/api/sessions/:session/transcript', http.TranscriptWindow],
  ] as const)('[Q15] GET %s has the declared shape, no more and no less', async (path, schema) => {
    whole(schema, await ask('GET', path.replace(':session', session)))
  })

  it('[Q15] so do the answers to what is sent', async () => {
    const announced = {
      name: 'another',
      version: '1',
      platform: 'linux',
      agents: [{ agent: 'demo', name: 'Demo', description: '', available: true }],
      holds: [],
    }
    whole(http.AnnounceAnswer, await ask('PUT', '/api/runner', announced, runnerKey))
    whole(http.WorkPage, await ask('GET', '/api/runner/work', undefined, runnerKey))
    whole(http.AgentPage, await ask('GET', '/api/agents'))
    whole(http.CreatedKey, await ask('POST', '/api/keys', { kind: 'svc', name: 'a service', projects: ['default'] }))
    whole(http.AccountRow, await ask('POST', '/api/accounts', { name: 'kim', password: 'a long walk in the rain' }))
    whole(http.Ticket, await ask('POST', '/api/auth/ticket'))
    const { token } = http.CreatedKey.parse(await ask('POST', '/api/keys', { kind: 'svc', name: 'another service' }))
    whole(http.ServiceToken, await ask('POST', '/api/auth/token', undefined, token))
    const stream = `session:${session}`
    const send = { id: 'c1', stream, type: 'message.send', data: { text: 'x' } }
    whole(Accepted, await ask('POST', '/api/commands', send))
  })

  it.each(['0x10', '1e3', '%2B5', '%205', '5.0', '-1', '', '0', '1001'])(
    '[J05] limit=%s is no count',
    async (limit) => {
      for (const path of ['/api/sessions', `/api/sessions/${session}/events`, `/api/sessions/${session}/transcript`]) {
        const answer = await fetch(new URL(`${path}?limit=${limit}`, server.url), {
          headers: { authorization: `Bearer ${server.token}` },
        })
        expect([path, answer.status]).toEqual([path, 400])
      }
    },
  )
})
