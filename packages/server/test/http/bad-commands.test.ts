import { uuidV7 } from '@hotline/client/uuid'
import type { HandRunner } from '@hotline/testing/hand-runner'
import { type LiveServer, startLiveServer } from '@hotline/testing/live-server'
import { buildFrame, opcodes } from '@hotline/testing/websocket-frame'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { enterRaw, heard } from '@hotline/testing/raw-conversation'

/** A whole server, so that it is real commands that are broken; bodies may be longer than they may by default. */
let server: LiveServer
let runner: HandRunner
const bodyBytes = 4 * 1024 * 1024

beforeAll(async () => {
  server = await startLiveServer({ env: { HOTLINE_LIMIT_BODY_BYTES: String(bodyBytes) } })
  runner = await server.startSession()
})
afterAll(() => server[Symbol.asyncDispose]())

async function post(body: string): Promise<{ status: number; code: string | undefined }> {
  const response = await fetch(`${server.url}/api/commands`, {
    method: 'POST',
    headers: { authorization: `Bearer ${server.token}`, 'content-type': 'application/json' },
    body,
  })
  const { code } = (await response.json()) as { code?: string }
  return { status: response.status, code }
}

describe('a decision with a member twice', () => {
  /** The text of a right decision, which each row makes wrong. */
  const decide = (asked: { approval: string; digest: string }, id: string): string =>
    `{"id":"${id}","stream":"${runner.stream}","type":"approval.decide",` +
    `"data":{"approval":"${asked.approval}","digest":"${asked.digest}","verdict":"deny"}}`

  it.each<[what: string, spoil: (text: string) => string]>([
    ['the verdict', (text) => text.replace('"verdict":"deny"', '"verdict":"deny","verdict":"allow"')],
    ['the same verdict', (text) => text.replace('"verdict":"deny"', '"verdict":"deny","verdict":"deny"')],
    ['the verdict, in escapes', (text) => text.replace('"verdict":"deny"', '"verdict":"deny","\\u0076erdict":"allow"')],
    ['the approval', (text) => text.replace('"approval":', '"approval":"another","approval":')],
    ['the digest', (text) => text.replace('"digest":', `"digest":"${'a'.repeat(64)}","digest":`)],
    ['the scope', (text) => text.replace('"verdict"', '"scope":"once","scope":"always","verdict"')],
    ['the data', (text) => text.replace('"data":', '"data":{"verdict":"allow"},"data":')],
    ['the type', (text) => text.replace('"type":', '"type":"message.send","type":')],
    ['the stream', (text) => text.replace('"stream":', '"stream":"session:another","stream":')],
    ['the id', (text) => text.replace('"id":', '"id":"another","id":')],
  ])('[J04] %s: is refused at both doors, and nothing is decided', async (_what, spoil) => {
    const asked = await runner.ask({ tool: 'shell', title: 'Run', input: `echo ${uuidV7()}` })
    const id = uuidV7()
    const right = decide(asked, id)
    const wrong = spoil(right)
    expect(wrong).not.toBe(right)
    expect(JSON.parse(wrong)).toHaveProperty('data')

    const before = await server.stored(runner.session)
    expect(await post(wrong)).toEqual({ status: 400, code: 'invalid_json' })
    await using socket = await enterRaw(Number(new URL(server.url).port), server.token)
    const frame = wrong.replace('{', '{"t":"command",')
    await socket.sendBytes(buildFrame({ opcode: opcodes.text, payload: frame }))
    const said = await heard(socket, ({ t }) => t === 'problem' || t === 'accepted' || t === 'refused')
    expect(said).toMatchObject({ t: 'problem', problem: { code: 'invalid_frame' } })
    expect(await server.stored(runner.session)).toEqual(before)

    // As it should be, it is taken, with the same id.
    expect(await post(right)).toEqual({ status: 200, code: undefined })
    const after = await server.stored(runner.session)
    expect(after.slice(before.length)).toMatchObject([
      { type: 'approval.resolved', data: { approval: asked.approval, outcome: 'denied' } },
    ])
  })
})

describe('a message of too much', () => {
  it.each<[what: string, text: string]>([
    ['1,000,000 combining marks', '\u0301'.repeat(1_000_000)],
    ['1,000,000 combining marks on one letter', `a${'\u0301'.repeat(1_000_000)}`],
    ['1,000,000 line ends', '\n'.repeat(1_000_000)],
    ['1,000,000 line ends between two letters', `a${'\n'.repeat(1_000_000)}a`],
  ])('[J15] %s, where the body may be so long', async (_what, text) => {
    const before = await server.stored(runner.session)
    const command = { id: uuidV7(), stream: runner.stream, type: 'message.send', data: { text } }
    const body = JSON.stringify(command)
    expect(Buffer.byteLength(body)).toBeLessThan(bodyBytes)
    expect(await post(body)).toEqual({ status: 400, code: 'invalid_request' })
    expect(await server.stored(runner.session)).toEqual(before)
  })

  it.each<[what: string, text: string]>([
    ['2,001 combining marks on one letter', `a${'\u0301'.repeat(2_001)}`],
    ['100,000 combining marks', '\u0301'.repeat(100_000)],
    ['2,001 line ends between two letters', `a${'\n'.repeat(2_001)}a`],
  ])('[J15] [M3] %s are over the limit of a message', async (_what, text) => {
    const command = { id: uuidV7(), stream: runner.stream, type: 'message.send', data: { text } }
    expect(await post(JSON.stringify(command))).toEqual({ status: 400, code: 'message_too_long' })
  })
})

describe('the name of a file', () => {
  const wrong = [
    '../x',
    'a/../../x',
    'a/..',
    '/etc/passwd',
    '//x',
    'a//b',
    'a/',
    './a',
    '.',
    '..',
    'a\0b',
    '',
    'x'.repeat(5_000),
  ]
  const fields = [
    ['draft.review', 'keep'],
    ['draft.review', 'discard'],
    ['draft.review', 'guarded'],
    ['undo.apply', 'also'],
    ['undo.apply', 'except'],
  ] as const

  it.each(fields)('[P01] of %s, in "%s", that leads out or is none is 400', async (type, field) => {
    const before = await server.stored(runner.session)
    const about = type === 'undo.apply' ? { undo: 'u1' } : { draft: 'd1', keep: ['a'] }
    const send = (path: string): Promise<{ status: number; code: string | undefined }> => {
      const data = { ...about, digest: 'a'.repeat(64), [field]: [path] }
      return post(JSON.stringify({ id: uuidV7(), stream: runner.stream, type, data }))
    }
    for (const path of wrong) {
      expect(await send(path), path.slice(0, 20)).toEqual({ status: 400, code: 'invalid_request' })
    }
    // What only looks odd is a name like another: nothing here is decoded.
    for (const path of ['%2e%2e%2fx', '..x', 'C:\\x', '-rf', 'a b']) {
      expect((await send(path)).code, path).not.toBe('invalid_request')
    }
    expect(await server.stored(runner.session)).toEqual(before)
  })
})
