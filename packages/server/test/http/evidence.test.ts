import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { httpRequest } from '@hotline/client/http-request'
import type { Link } from '@hotline/client/link'
import { type EvidenceTaken, SessionEvidence } from '@hotline/protocol/evidence'
import { type LiveServer, startLiveServer } from '@hotline/testing/live-server'
import { waitFor } from '@hotline/testing/wait-for'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { z } from 'zod'

let live: LiveServer
let machine: Link

beforeAll(async () => {
  live = await startLiveServer()
  machine = live.link({ credential: { kind: 'token', token: keyOf('runner-key') }, client: 'a machine' })
})
afterAll(() => live[Symbol.asyncDispose]())

const keyOf = (file: string): string => readFileSync(join(live.dataDir, file), 'utf8').trim()
const tree = {
  at: '2026-01-01T00:00:00.000Z',
  reach: 'cgroup',
  frozen: false,
  count: 1,
  cpuMs: 20,
  memoryBytes: 4_096,
  processes: [{ pid: 7, ppid: 0, name: 'sh', cpuMs: 20, memoryBytes: 4_096, startedAt: '2026-01-01T00:00:00.000Z' }],
} as const

/** Answers every look of the server as a runner does, until it is told to stop. */
function answer(fence = 1): () => void {
  return machine.ephemeral(({ kind, streams = [] }) => {
    if (kind !== 'look') return
    const sessions = streams.map((stream) => ({
      session: stream.replace('session:', ''),
      fence,
      evidence: { lastOutputAt: tree.at, tree },
    }))
    void machine.request('PUT', '/api/runner/evidence', { sessions })
  })
}

const read = async (session: string): Promise<SessionEvidence> => {
  const of = { kind: 'token', token: live.token } as const
  const answered = await httpRequest<SessionEvidence>(live.url, of, 'GET', `/api/sessions/${session}/evidence`)
  if (!answered.ok) throw new Error(answered.problem.detail)
  expect(SessionEvidence.parse(answered.value)).toEqual(answered.value)
  return answered.value
}

test('[S16] whoever asks how an agent stands is told what its machine sees now, and what is not known is null', async () => {
  const hand = await live.startSession()
  await hand.ask({ tool: 'run', title: 'List', input: 'ls' })
  expect(await read(hand.session)).toMatchObject({ status: 'active', turn: 'waiting', tree: null, lastOutputAt: null })
  const stop = answer()
  const seen = await read(hand.session)
  stop()
  expect(seen).toMatchObject({ tree, lastOutputAt: tree.at, pid: null, exit: null, paused: null })
  expect(seen.waitsFor.approvals).toHaveLength(1)
})

test('[S16] who follows a session is told every few seconds, and nothing of it is logged', async () => {
  const hand = await live.startSession()
  const before = (await live.stored(hand.session)).length
  const stop = answer()
  const link = live.link()
  const heard: unknown[] = []
  link.ephemeral(({ kind, stream, evidence }) => {
    if (kind === 'evidence') heard.push([stream, evidence])
  })
  link.follow(hand.stream, 'now', { events: () => undefined })
  await waitFor(() => heard.length > 1, { what: 'two looks' })
  stop()
  expect(heard[0]).toEqual([hand.stream, { lastOutputAt: tree.at, tree }])
  expect(await live.stored(hand.session)).toHaveLength(before)
})

test('[S16] a machine is heard of what it holds, under its present fence, and of nothing else', async () => {
  const { session } = await live.startSession()
  const tell = async (token: string, fence: number): Promise<number | string> => {
    const body = { sessions: [{ session, fence, evidence: { tree } }] }
    const of = { kind: 'token', token } as const
    const told = await httpRequest<z.infer<typeof EvidenceTaken>>(live.url, of, 'PUT', '/api/runner/evidence', body)
    return told.ok ? told.value.taken : told.problem.code
  }
  expect(await tell(keyOf('runner-key'), 1)).toBe(1)
  expect(await tell(keyOf('runner-key'), 2)).toBe(0)
  expect(await tell(live.token, 1)).toBe('forbidden')
})
