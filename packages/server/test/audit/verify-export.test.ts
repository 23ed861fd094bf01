import { generateKeyPairSync } from 'node:crypto'
import { accepted, agentEvent, bareEvent, freely } from '@hotline/testing/log-bench'
import { randomSeed, seededRandom } from '@hotline/testing/seed'
import { beforeAll, describe, expect, it } from 'vitest'
import { chainLines } from '../../src/audit/chain-lines.ts'
import { HeadBook, HeadsRefused } from '../../src/audit/head-book.ts'
import { keyText, type SignedHead, signHead } from '../../src/audit/signed-head.ts'
import { type ChainProof, verifyExport } from '../../src/audit/verify-export.ts'
import { verifyLog } from '../../src/audit/verify-log.ts'
import type { LogStore } from '../../src/log/log-store.ts'
import { openSqliteBench } from '../log-benches.ts'

const [one, two] = ['session:one', 'session:two']
let lines: string[]
let oneAlone: string[]

beforeAll(async () => {
  await using bench = await openSqliteBench()
  await fill(bench.store)
  await bench.store.erase(one, { subject: 'message:1', upTo: 4 })
  lines = await exported(bench.store)
  oneAlone = await exported(bench.store, one)
})

async function fill(store: LogStore): Promise<void> {
  const events = Array.from({ length: 6 }, (_, at) =>
    at % 3 === 2 ? bareEvent({ turn: `t${at}` }) : agentEvent(`Grüße ${at}\u2028"`, `message:${at % 2}`),
  )
  accepted(await store.append([freely(one, ...events), freely(two, ...events)]))
}

async function exported(store: LogStore, of = 'all'): Promise<string[]> {
  const found: string[] = []
  for await (const line of chainLines(store, of)) found.push(line)
  return found
}

async function* chunks(bytes: Uint8Array, size = 700): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size)
}

const verify = (text: string | Uint8Array, heads?: HeadBook): Promise<ChainProof> =>
  verifyExport(chunks(typeof text === 'string' ? Buffer.from(text) : text), heads)
const verifyLines = (changed: readonly string[], heads?: HeadBook): Promise<ChainProof> =>
  verify(changed.join(''), heads)

/** Which event a line of the export is. */
function placeOf(at: number): { stream: string; seq: number } | undefined {
  const line = JSON.parse(lines[at] ?? '{}') as { seq?: number; header?: string }
  if (line.seq === undefined) return undefined
  return { stream: (JSON.parse(line.header ?? '{}') as { stream: string }).stream, seq: line.seq }
}

const lineOf = (stream: string, seq: number): number =>
  lines.findIndex((_, at) => placeOf(at)?.stream === stream && placeOf(at)?.seq === seq)

describe('an export of the chain', () => {
  it('[AU5] holds as it is, with bodies that were erased, and of one stream alone', async () => {
    expect(await verifyLines(lines)).toEqual({ of: 'all', streams: 2, events: 12, heads: 0, faults: [] })
    expect(lines.join('')).toContain('"digest"')
    expect(await verifyLines(oneAlone)).toEqual({ of: one, streams: 1, events: 6, heads: 0, faults: [] })
  })

  it('[AU5] [T73] whichever byte is changed, the first event that does not hold is named', async () => {
    const whole = Buffer.from(lines.join(''))
    const random = seededRandom(randomSeed('flipped bytes'))
    let start = 0
    for (const [index, line] of lines.entries()) {
      const end = start + Buffer.byteLength(line)
      for (let at = start; at < end; at += 1) {
        const flipped = Buffer.from(whole)
        flipped[at] = (flipped[at] ?? 0) ^ (1 << random.int(0, 7))
        const { faults } = await verify(flipped)
        expect(faults.length, `byte ${at}`).toBeGreaterThan(0)
        const place = placeOf(index)
        if (place) expect([at, faults[0]]).toEqual([at, { ...place, what: expect.any(String) as string }])
      }
      start = end
    }
  })

  it('[AU5] [T73] an event that was dropped, swapped or doubled, and a cut end, are named', async () => {
    const third = lineOf(two, 3)
    const dropped = await verifyLines(lines.toSpliced(third, 1))
    expect(dropped.faults[0]).toEqual({ stream: two, seq: 3, what: 'event 3 is missing' })
    const swapped = lines.toSpliced(third, 2, lines[third + 1] ?? '', lines[third] ?? '')
    expect((await verifyLines(swapped)).faults).toMatchObject([{ stream: two, seq: 3 }])
    expect((await verifyLines(lines.toSpliced(third, 0, lines[third] ?? ''))).faults[0]).toMatchObject({
      stream: two,
      seq: 4,
    })
    for (let length = 0; length < lines.length; length += 1) {
      const { faults } = await verifyLines(lines.slice(0, length))
      expect(faults, `${length} lines`).toHaveLength(1)
      const next = placeOf(length)
      if (next) expect(faults[0]).toMatchObject(next)
    }
    const [first = '', ...rest] = lines
    expect(
      (await verifyLines([first, ...rest.slice(0, 7), ...rest.slice(0, 7), ...rest.slice(-1)])).faults,
    ).toMatchObject([{ stream: one, seq: 1, what: 'it is there twice' }, { seq: 0 }])
    expect((await verifyLines([...lines, lines[1] ?? ''])).faults[0]?.what).toBe('there is something after its end')
  })

  it('[AU5] [T73] an event of another session in the place of ours is named', async () => {
    const spliced = lines.with(lineOf(one, 4), lines[lineOf(two, 4)] ?? '')
    expect((await verifyLines(spliced)).faults).toEqual([
      { stream: one, seq: 4, what: 'its bytes do not give its hash' },
    ])
    const [from, to] = [lineOf(one, 1), lineOf(two, 1)]
    const whole = lines.toSpliced(from, 6, ...lines.slice(to, to + 6))
    expect((await verifyLines(whole)).faults[0]).toMatchObject({ stream: one, seq: 1 })
  })

  it('[AU5] a line has one spelling: what was written otherwise was not written by us', async () => {
    const at = lineOf(one, 3)
    for (const other of ['{ "seq":3', '{"seq":3.0', '{"seq":4,"seq":3']) {
      const changed = lines.with(at, (lines[at] ?? '').replace('{"seq":3', other))
      expect((await verifyLines(changed)).faults[0], other).toMatchObject({ stream: one, seq: 3 })
    }
  })

  it('[AU5] what is no export is said to be none', async () => {
    for (const text of ['', '{}\n', 'PK\u0003\u0004', `[${'1'.repeat(5_000_000)}`]) {
      expect((await verify(text)).faults, text.slice(0, 10)).toHaveLength(1)
    }
  })
})

describe('signed heads', () => {
  const { privateKey, publicKey } = generateKeyPairSync('ed25519')
  const key = keyText(publicKey)
  const at = '2026-01-01T00:00:00.000Z'
  const sign = (stream: string, seq: number): SignedHead => {
    const { hash } = JSON.parse(lines[lineOf(stream, seq)] ?? '') as { hash: string }
    const { epoch } = JSON.parse(lines[lineOf(stream, 1) - 1] ?? '') as { epoch: string }
    return signHead({ stream, epoch, seq, hash, at }, { publicText: key, privateKey })
  }
  const book = (heads: readonly object[], by = key): Promise<HeadBook> =>
    HeadBook.read(chunks(Buffer.from(heads.map((head) => `${JSON.stringify(head)}\n`).join(''))), by)

  it('[AU7] [T73] [T74] find an end that was cut off and a chain that was made anew, and nothing where all is well', async () => {
    const heads = await book([sign(one, 2), sign(one, 5), sign(two, 6)])
    expect(await verifyLines(lines, heads)).toMatchObject({ events: 12, heads: 3, faults: [] })
    expect(await verifyLines(oneAlone, heads)).toMatchObject({ events: 6, heads: 2, faults: [] })

    // Cut off as one would who knows the format: the stream and the last line say what is left.
    await using bench = await openSqliteBench()
    await fill(bench.store)
    const rebuilt = await exported(bench.store)
    expect((await verifyLines(rebuilt)).faults).toEqual([])
    expect((await verifyLines(rebuilt, heads)).faults).toEqual([
      { stream: one, seq: 2, what: expect.stringContaining('its chain made anew') as string },
      { stream: two, seq: 6, what: expect.stringContaining('its chain made anew') as string },
    ])
    const log = await verifyLog(bench.store, 'all', heads)
    expect(log.faults).toEqual((await verifyLines(rebuilt, heads)).faults)

    const cut = lines.slice(0, lineOf(one, 4) + 1)
    const fourth = JSON.parse(cut.at(-1) ?? '') as { hash: string }
    const named = JSON.parse(cut[1] ?? '') as object
    cut[1] = `${JSON.stringify({ ...named, head: 4, hash: fourth.hash })}\n`
    cut.push(`${JSON.stringify({ end: { streams: 1, events: 4 } })}\n`)
    expect((await verifyLines(cut)).faults).toEqual([])
    expect((await verifyLines(cut, heads)).faults).toEqual([
      { stream: one, seq: 5, what: `the end was cut off: event 5 was signed at ${at}` },
      { stream: two, seq: 1, what: 'there is a signed head of this stream, and none of its events' },
    ])
  })

  it('[AU7] a head that another key has signed, or that was changed, is refused', async () => {
    const head = sign(one, 2)
    const other = keyText(generateKeyPairSync('ed25519').publicKey)
    await expect(book([head], other)).rejects.toThrow(HeadsRefused)
    for (const change of [
      { seq: 3 },
      { at: '2026-01-02' },
      { epoch: 'x' },
      { stream: two },
      { hash: 'a'.repeat(64) },
      { key: other },
    ]) {
      await expect(book([head, { ...head, ...change }])).rejects.toThrow('Line 2 of the heads was not signed')
    }
    await expect(book([{ ...head, more: 1 }])).rejects.toThrow('Line 1 of the heads is no signed head')
  })
})
