import { createHash } from 'node:crypto'
import { expect, test } from 'vitest'
import { chainSeed, digestBody, linkHash, sealEvent, wireBytes } from '../src/log/wire.ts'

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
const place = { stream: 'session:one', epoch: 'abcdefgh', seq: 1, previous: chainSeed('session:one', 'abcdefgh') }

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
  const sealed = sealEvent(event, place, () => salt)
  const header =
    '{"v":1,"stream":"session:one","seq":1,"at":"2026-01-02T03:04:05.678Z","type":"message.sent","subject":"message:m1",' +
    '"actor":{"kind":"person","id":"a1"},"channel":"web:1","cause":"c1","data":{"message":"m1"}}'
  const body = String.raw`{"text":"ü \u0000 \ud800"}`
  const seq = Buffer.from('0000000000000001', 'hex')
  const digest = Buffer.from(framed('hotline body 1', salt, body), 'hex')
  const seed = Buffer.from(framed('hotline chain 1', 'session:one', 'abcdefgh'), 'hex')
  const hash = framed('hotline event 1', seed, 'abcdefgh', seq, header, digest)
  expect(Buffer.from(sealed.wire).toString()).toBe(`${header.slice(0, -1)},"body":${body},"hash":"${hash}"}`)
  expect(Buffer.from(sealed.hash).toString('hex')).toBe(hash)
  expect(hash).toBe('c0ace25bc36215ba445670088358f25a3bab229b759d3f8ac4404a01d1248e21')
  expect(Buffer.from(digestBody(salt, Buffer.from(body)))).toEqual(digest)
})

test('[L28] an event without a body, and one whose body was erased, keep their hash', () => {
  const { body: _body, ...bare } = event
  const sealed = sealEvent(bare, place, () => salt)
  expect(sealed.salt).toBeUndefined()
  expect(Buffer.from(linkHash(place, sealed.header, undefined))).toEqual(Buffer.from(sealed.hash))
  const whole = sealEvent(event, place, () => salt)
  const digest = digestBody(salt, whole.body ?? Buffer.of())
  expect(Buffer.from(linkHash(place, whole.header, digest))).toEqual(Buffer.from(whole.hash))
  expect(Buffer.from(wireBytes(whole.header, undefined, whole.hash)).toString()).toBe(
    `${Buffer.from(whole.header).toString().slice(0, -1)},"hash":"${Buffer.from(whole.hash).toString('hex')}"}`,
  )
})

test('[L28] no part can pass for another: each of them alone changes the hash', () => {
  const sealed = sealEvent(event, place, () => salt)
  const digest = digestBody(salt, sealed.body ?? Buffer.of())
  const moved = Buffer.concat([sealed.header, digest.subarray(0, 1)])
  const hashes = [
    linkHash(place, sealed.header, digest),
    linkHash({ ...place, seq: 2 }, sealed.header, digest),
    linkHash({ ...place, seq: 2 ** 40 + 1 }, sealed.header, digest),
    linkHash({ ...place, epoch: 'abcdefgi' }, sealed.header, digest),
    linkHash({ ...place, previous: digest }, sealed.header, digest),
    linkHash(place, sealed.header, undefined),
    linkHash(place, moved, digest.subarray(1)),
    digestBody(salt, sealed.header),
    chainSeed('session:one', 'abcdefgi'),
    chainSeed('session:onea', 'bcdefghi'),
  ].map((hash) => Buffer.from(hash).toString('hex'))
  expect(new Set(hashes).size).toBe(hashes.length)
})
