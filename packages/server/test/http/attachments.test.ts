import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { UploadedAttachment } from '@hotline/protocol/attachment'
import { limits } from '@hotline/protocol/limits'
import { httpRequest } from '@hotline/client/http-request'
import { uuidV7 } from '@hotline/client/uuid'
import { type LiveServer, startLiveServer } from '@hotline/testing/live-server'
import { sha256 } from '@hotline/testing/sha256'
import { afterAll, beforeAll, expect, test } from 'vitest'

let live: LiveServer
beforeAll(async () => {
  live = await startLiveServer()
})
afterAll(() => live[Symbol.asyncDispose]())

const runnerKey = (): string => readFileSync(join(live.dataDir, 'runner-key'), 'utf8').trim()

interface Outcome {
  status: number
  headers: Headers
  bytes: Buffer
  json: Record<string, unknown>
}

async function outcomeOf(response: Response): Promise<Outcome> {
  const bytes = Buffer.from(await response.arrayBuffer())
  const isJson = (response.headers.get('content-type') ?? '').includes('json') && bytes.length > 0
  const json = isJson ? (JSON.parse(bytes.toString('utf8')) as Record<string, unknown>) : {}
  return { status: response.status, headers: response.headers, bytes, json }
}

async function upload(
  session: string,
  name: string,
  bytes: Uint8Array | string,
  more: { token?: string; type?: string } = {},
): Promise<Outcome> {
  const { token = live.token, type = 'application/octet-stream' } = more
  const path = `/api/sessions/${session}/attachments?name=${encodeURIComponent(name)}`
  const response = await fetch(new URL(path, live.url), {
    method: 'POST',
    headers: { authorization: `Bearer ${token}`, 'content-type': type },
    body: Buffer.from(bytes),
  })
  return outcomeOf(response)
}

async function kept(session: string, name: string, bytes: Uint8Array | string): Promise<UploadedAttachment> {
  const { status, json } = await upload(session, name, bytes)
  expect([name, status]).toEqual([name, 201])
  return json as unknown as UploadedAttachment
}

async function download(
  session: string,
  digest: string,
  more: { token?: string; headers?: Record<string, string>; query?: string } = {},
): Promise<Outcome> {
  const { token = live.token, headers = {}, query = '' } = more
  const path = `/api/sessions/${session}/attachments/${digest}${query}`
  return outcomeOf(await fetch(new URL(path, live.url), { headers: { authorization: `Bearer ${token}`, ...headers } }))
}

/** Another person's token, or a narrower one of the owner's. */
async function tokenOf(more: object): Promise<string> {
  const credential = { kind: 'token', token: live.token } as const
  await httpRequest(live.url, credential, 'POST', '/api/auth/confirm', { password: 'a long walk over the wet meadow' })
  const body = { kind: 'pat', name: 'x', ...more }
  const made = await httpRequest<{ token: string }>(live.url, credential, 'POST', '/api/keys', body)
  if (!made.ok) throw new Error(made.problem.detail)
  return made.value.token
}

async function send(session: string, data: object): Promise<string> {
  const command = { id: uuidV7(), stream: `session:${session}`, type: 'message.send', data }
  const credential = { kind: 'token', token: live.token } as const
  const outcome = await httpRequest(live.url, credential, 'POST', '/api/commands', command)
  return outcome.ok ? 'sent' : outcome.problem.code
}

const png = Buffer.from('89504e470d0a1a0a0000000d49484452', 'hex')

test('[AT1] a file is kept as it is and read back whole by whoever may read the session', async () => {
  const { session } = await live.startSession()
  const bytes = Buffer.alloc(limits.attachmentBytes, 'as large as it may be ')
  const file = await kept(session, 'Große Liste.txt', bytes)
  expect(file).toEqual({ digest: sha256(bytes), name: 'Große Liste.txt', type: 'text/plain', bytes: bytes.length })
  expect(await send(session, { text: 'look', attachments: [{ digest: file.digest, name: file.name }] })).toBe('sent')
  const got = await download(session, file.digest, { token: await tokenOf({ scopes: ['read'] }) })
  expect([got.status, got.bytes.equals(bytes)]).toEqual([200, true])
  const machine = await upload(session, 'plot.png', png, { token: runnerKey() })
  expect([machine.status, machine.json['type']]).toEqual([201, 'image/png'])
})

test('[AT2] a message names what its sender has uploaded to this session, and nothing else', async () => {
  const { session } = await live.startSession()
  const other = await live.startSession()
  const own = await kept(session, 'own.txt', 'own')
  const elsewhere = await kept(other.session, 'elsewhere.txt', 'elsewhere')
  const machine = (await upload(session, 'machine.txt', 'of the machine', { token: runnerKey() })).json
  const named = ({ digest, name }: Record<string, unknown>): object => ({ digest, name })
  const wrong = [
    named({ ...elsewhere }),
    named(machine),
    named({ ...own, name: 'other.txt' }),
    named({ ...own, digest: sha256('never put') }),
  ]
  for (const one of wrong) expect(await send(session, { text: 'x', attachments: [one] })).toBe('not_found')
  expect(await send(session, { text: 'x', attachments: [{ ...named({ ...own }), type: 'text/html' }] })).toBe(
    'invalid_request',
  )
  expect(await send(session, { text: 'x', attachments: [named({ ...own })] })).toBe('sent')
  const posted = (await live.stored(session)).find(({ type }) => type === 'message.posted')
  expect(posted?.body).toEqual({ text: 'x', attachments: [own] })
})

test('[AT3] a message with a file needs no text, and has ten files at most', async () => {
  const { session } = await live.startSession()
  const { digest, name } = await kept(session, 'a.txt', 'a')
  expect(await send(session, { text: '' })).toBe('message_empty')
  expect(await send(session, { text: ' ', attachments: [{ digest, name }] })).toBe('message_empty')
  expect(await send(session, { text: '', attachments: [{ digest, name }] })).toBe('sent')
  const many = Array.from({ length: limits.messageAttachments + 1 }, () => ({ digest, name }))
  expect(await send(session, { text: 'x', attachments: many })).toBe('invalid_request')
  expect(await send(session, { text: 'x', attachments: many.slice(1) })).toBe('sent')
})

test('[AT4] what is empty, too large, called like a path, or not sent as bytes is refused and not kept', async () => {
  const { session } = await live.startSession()
  const refused = async (name: string, bytes: string | Uint8Array, more = {}): Promise<unknown> => {
    const { status, json } = await upload(session, name, bytes, more)
    return [status, json['code'], (await download(session, sha256(Buffer.from(bytes)))).status]
  }
  expect(await refused('a.txt', '')).toEqual([400, 'invalid_request', 404])
  expect(await refused('a.txt', Buffer.alloc(limits.attachmentBytes + 1, 'x'))).toEqual([413, 'too_large', 404])
  const names = ['../a.txt', 'a/b', 'a\\b', '..', ' ', 'a\u0000b', 'a\nb', 'fdp.\u202etxt', 'a\u200bb', 'x'.repeat(201)]
  for (const name of names) expect([name, await refused(name, 'b')]).toEqual([name, [400, 'invalid_request', 404]])
  expect(await refused('a.txt', '{}', { type: 'application/json' })).toEqual([415, 'media_type', 404])
  expect(await refused('a.txt', 'c', { type: 'text/html' })).toEqual([415, 'media_type', 404])
})

test('[AT4] as many as wait for their message are enough', async () => {
  const { session } = await live.startSession()
  for (let at = 0; at < limits.unsentAttachments; at += 1) await kept(session, `${at}.txt`, `file ${at}`)
  expect((await upload(session, 'more.txt', 'more')).json).toMatchObject({ code: 'queue_full', status: 409 })
  expect(await send(session, { text: '', attachments: [{ digest: sha256('file 0'), name: '0.txt' }] })).toBe('sent')
  await kept(session, 'more.txt', 'more')
})

test('[AT5] the server finds out what a file is, and keeps as bytes what a browser would run', async () => {
  const { session } = await live.startSession()
  const page = '<!doctype html><script>alert(1)</script>'
  const drawing = '<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>'
  const found = async (name: string, bytes: string | Uint8Array): Promise<string> =>
    (await kept(session, name, bytes)).type
  const bytes = 'application/octet-stream'
  expect(await found('page.html', page)).toBe(bytes)
  expect(await found('page.png', page)).toBe(bytes)
  expect(await found('page.txt', page)).toBe('text/plain')
  expect(await found('drawing.svg', drawing)).toBe(bytes)
  expect(await found('page.xhtml', page)).toBe(bytes)
  expect(await found('picture', png)).toBe('image/png')
  expect(await found('picture.html', png)).toBe('image/png')
  expect(await found('p.jpg', Buffer.from('ffd8ffe000104a46', 'hex'))).toBe('image/jpeg')
  expect(await found('p.gif', 'GIF89a...')).toBe('image/gif')
  expect(await found('p.webp', 'RIFF\u0001\u0002\u0003\u0004WEBPVP8 ')).toBe('image/webp')
  expect(await found('p.pdf', '%PDF-1.7')).toBe('application/pdf')
  expect(await found('p.zip', 'PK\u0003\u0004')).toBe('application/zip')
  expect(await found('NOTES.MD', '# Notes')).toBe('text/markdown')
  expect(await found('rows.csv', 'a,b')).toBe('text/csv')
  expect(await found('rows.json', '{}')).toBe('application/json')
  expect(await found('core.log', 'a\u0000b')).toBe(bytes)
})

test('[AT6] [T41] no file opens as a page of ours: it is saved, as what it was found to be, under its name', async () => {
  const { session } = await live.startSession()
  const page = '<!doctype html><script>alert(1)</script>'
  const { digest } = await kept(session, 'Übung "1"; x=\'y\'.html', page)
  const { status, headers, bytes } = await download(session, digest)
  expect([status, bytes.toString()]).toEqual([200, page])
  expect(Object.fromEntries(headers)).toMatchObject({
    'content-type': 'application/octet-stream',
    'content-length': String(page.length),
    'content-disposition':
      'attachment; filename="_bung _1_; x=\'y\'.html"; ' +
      "filename*=UTF-8''%C3%9Cbung%20%221%22%3B%20x%3D%27y%27.html",
    'content-security-policy': "default-src 'none'; sandbox; frame-ancestors 'none'",
    'x-content-type-options': 'nosniff',
    'cache-control': 'private, no-cache',
    etag: `"${digest}"`,
  })
  const again = await download(session, digest, { headers: { 'if-none-match': `"${digest}"` } })
  expect([again.status, again.bytes.length]).toEqual([304, 0])
})

test('[AT7] what may not be read, was not sent, or is nowhere looks the same', async () => {
  const { session } = await live.startSession()
  const other = await live.startSession()
  const { digest, name } = await kept(session, 'draft.txt', 'not sent yet')
  const nowhere = await download(session, sha256('never put'))
  expect(nowhere.status).toBe(404)
  const same = async (of: string, token?: string): Promise<void> => {
    const { status, json } = await download(of, digest, token === undefined ? {} : { token })
    expect([status, json]).toEqual([nowhere.status, nowhere.json])
  }
  await same(session, runnerKey())
  expect((await download(session, digest)).status).toBe(200)
  expect(await send(session, { text: '', attachments: [{ digest, name }] })).toBe('sent')
  expect((await download(session, digest, { token: runnerKey() })).status).toBe(200)
  expect((await download(session, digest, { query: '?name=draft.txt' })).status).toBe(200)
  expect((await download(session, digest, { query: '?name=other.txt' })).status).toBe(404)
  await same(other.session)
  await same('another')
  await same(session, await tokenOf({ scopes: ['write'] }))
  const create = { id: uuidV7(), stream: 'project:elsewhere', type: 'project.create', data: { name: 'Elsewhere' } }
  await httpRequest(live.url, { kind: 'token', token: live.token }, 'POST', '/api/commands', create)
  await same(session, await tokenOf({ projects: ['elsewhere'] }))
  const reader = await tokenOf({ scopes: ['read'] })
  expect((await upload(session, 'a.txt', 'a', { token: reader })).json['code']).toBe('forbidden')
  expect((await upload('another', 'a.txt', 'a')).json['code']).toBe('not_found')
})
