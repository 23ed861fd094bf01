import { createHash } from 'node:crypto'
import { expect, test } from 'vitest'
import { ChainHasher, chainSeed } from '../src/log/chain-hasher.ts'
import { sealEvents, wireBytes } from '../src/log/sealed-event.ts'
import type { SealedEvent } from '../src/log/sealed-event.ts'

const event = {
  v: 1,
  at: '2026-01-02T03:04:05.678Z',
  type: 'message.sent',
  subject: 'message:m1',
  actor: { kind: 'person' as const, id: 'a1' },
  channel: 'web:1',
  cause: 'c1',
  data: { message: 'm1' },
  body: { text: 'ü \0 \ud800' },
}
const salt = Buffer.from('000102030405060708090a0b0c0d0e0f', 'hex')
const epoch = 'abcdefgh'
const seed = chainSeed('session:one', epoch)
const place = { epoch, seq: 1, previous: seed }
const means = { hasher: new ChainHasher(), ids: { salt: () => salt } }
const none = Buffer.of()

function seal(given: Parameters<typeof sealEvents>[0][number]): SealedEvent {
  const [sealed] = sealEvents([given], { stream: 'session:one', epoch, seq: 0, hash: seed }, means)
  if (sealed === undefined) throw new Error('nothing was sealed')
  return sealed
}

function digestBody(...[ofSalt, body]: [Uint8Array, Uint8Array]): Uint8Array {
  return Uint8Array.from(new ChainHasher().digestBody(ofSalt, body))
}

/** The layout once more, from the words of the docstring and with nothing of the code. */
function framed(...fields: (string | Uint8Array)[]): string {
  const hash = createHash('sha256')
  for (const field of fields) {
    const bytes = Buffer.from(field)
    const size = Buffer.alloc(4)
    size.writeUInt32BE(bytes.length)
    hash.update(size).update(bytes)
  }
  return hash.digest('hex')
}

test('[L28] the bytes of an event and its hash are laid out as documented, and stay so', () => {
  const sealed = seal(event)
  const header =
    '{"v":1,"stream":"session:one","seq":1,"at":"2026-01-02T03:04:05.678Z","type":"message.sent","subject":"message:m1",' +
    '"actor":{"kind":"person","id":"a1"},"channel":"web:1","cause":"c1","data":{"message":"m1"}}'
  const body = String.raw`{"text":"ü \u0000 \ud800"}`
  const seq = Buffer.from('0000000000000001', 'hex')
  const digest = Buffer.from(framed('hotline body 1', salt, body), 'hex')
  const first = Buffer.from(framed('hotline chain 1', 'session:one', epoch), 'hex')
  const hash = framed('hotline event 1', first, epoch, seq, header, digest)
  expect(Buffer.from(sealed.wire).toString()).toBe(`${header.slice(0, -1)},"body":${body},"hash":"${hash}"}`)
  expect(Buffer.from(sealed.hash).toString('hex')).toBe(hash)
  expect(hash).toBe('c0ace25bc36215ba445670088358f25a3bab229b759d3f8ac4404a01d1248e21')
  expect(Buffer.from(digestBody(salt, Buffer.from(body)))).toEqual(digest)
})

test('[L28] an event without a body, and one whose body was erased, keep their hash', () => {
  const { body: _body, ...bare } = event
  const sealed = seal(bare)
  expect(sealed.salt).toBeUndefined()
  const hasher = new ChainHasher()
  expect(hasher.link(place, sealed.header, undefined)).toBe(Buffer.from(sealed.hash).toString('hex'))
  const whole = seal(event)
  const hex = Buffer.from(whole.hash).toString('hex')
  const digest = digestBody(salt, whole.body ?? none)
  expect(hasher.link(place, whole.header, digest)).toBe(hex)
  expect(Buffer.from(wireBytes(whole.header, undefined, hex)).toString()).toBe(
    `${Buffer.from(whole.header).toString().slice(0, -1)},"hash":"${hex}"}`,
  )
})

test('[L28] no part can pass for another: each of them alone changes the hash', () => {
  const sealed = seal(event)
  const digest = digestBody(salt, sealed.body ?? none)
  const moved = Buffer.concat([sealed.header, digest.subarray(0, 1)])
  const hasher = new ChainHasher()
  const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex')
  const hashes = [
    hasher.link(place, sealed.header, digest),
    hasher.link({ ...place, seq: 2 }, sealed.header, digest),
    hasher.link({ ...place, seq: 2 ** 40 + 1 }, sealed.header, digest),
    hasher.link({ ...place, epoch: 'abcdefgi' }, sealed.header, digest),
    hasher.link({ epoch, seq: 1, previous: digest }, sealed.header, digest),
    hasher.link(place, sealed.header, undefined),
    hasher.link(place, moved, digest.subarray(1)),
    hex(digestBody(salt, sealed.header)),
    hex(chainSeed('session:one', 'abcdefgi')),
    hex(chainSeed('session:onea', 'bcdefghi')),
  ]
  expect(new Set(hashes).size).toBe(hashes.length)
})

test('[L28] the memory in which hashes are made is used again, and nothing of an event before remains in it', () => {
  const sizes = [0, 5_000, 1, 1_000, 20_000, 2, 70_000, 200_000, 3, 0]
  const events = sizes.map((size, at) => ({
    ...event,
    data: { at, text: 'd'.repeat(size) },
    body: at % 3 === 2 ? undefined : { text: 'b'.repeat(Math.abs(20_000 - size)) },
  }))
  const seq = 2 ** 32 - 4
  const sealed = sealEvents(events, { stream: 'session:one', epoch, seq, hash: seed }, means)
  let previous = Buffer.from(seed)
  for (const [at, one] of sealed.entries()) {
    const number = Buffer.alloc(8)
    number.writeBigUInt64BE(BigInt(seq + at + 1))
    const digest = one.body === undefined ? none : Buffer.from(framed('hotline body 1', salt, one.body), 'hex')
    const hash = framed('hotline event 1', previous, epoch, number, one.header, digest)
    previous = Buffer.from(hash, 'hex')
    expect(Buffer.from(one.hash).toString('hex')).toBe(hash)
    expect(JSON.parse(Buffer.from(one.wire).toString())).toEqual({
      ...events[at],
      stream: 'session:one',
      seq: seq + at + 1,
      hash,
    })
  }
})
