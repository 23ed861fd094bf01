import { appendFileSync, existsSync, readdirSync, readFileSync, statSync, truncateSync } from 'node:fs'
import { join } from 'node:path'
import type { Report } from '@hotline/protocol/commands/agent'
import { randomSeed, seededRandom } from '@hotline/testing/seed'
import { openTempDir } from '@hotline/testing/temp-dir'
import { expect, test } from 'vitest'
import { coalesce } from '../src/spool/coalesce.ts'
import { Spool } from '../src/spool/spool.ts'

const output = (text: string, source = 'pty'): Report => ({
  type: 'output.appended',
  data: { source, encoding: 'utf8', bytes: Buffer.byteLength(text) },
  body: { text },
})
const bound = 1024 * 1024

test('[R21] what was written is there for the next life: events, batches, doubts, the fence', async () => {
  await using temp = await openTempDir()
  const file = join(temp.path, 'deep', 's1', 'spool.jsonl')
  const first = new Spool(file, bound)
  first.lease(3)
  for (const text of ['a', 'b', 'c', 'd']) first.append(output(text))
  await first.seal({ id: 'batch-1', to: 1, fence: 3, late: false }, 'machine')
  first.acknowledge(1)
  await first.seal({ id: 'batch-2', to: 3, fence: 3, late: true }, 'process')
  const done = await first.intend({ what: 'answer', approval: 'a1' })
  await first.intend({ what: 'prompt', message: 'm1' })
  first.conclude(done)
  first.close()
  const second = new Spool(file, bound)
  expect(second.fence).toBe(3)
  expect(second.waiting.map(({ n, report }) => [n, report.body?.['text']])).toEqual([
    [2, 'b'],
    [3, 'c'],
    [4, 'd'],
  ])
  expect(second.batch).toEqual({ id: 'batch-2', to: 3, fence: 3, late: true })
  expect([...second.intents.values()]).toEqual([{ what: 'prompt', message: 'm1' }])
  expect(second.append(output('e'))).toBe(5)
  second.close()
  expect(statSync(file).mode & 0o077).toBe(0)
})

test('[R21] a tail that a crash cut off is removed, wherever it was cut, and everything before it stays', async () => {
  await using temp = await openTempDir()
  const file = join(temp.path, 'spool.jsonl')
  const random = seededRandom(randomSeed('torn spool'))
  for (let round = 0; round < 60; round += 1) {
    const spool = new Spool(file, bound)
    const count = random.int(1, 20)
    for (let n = 1; n <= count; n += 1) spool.append(output(`line ${n} \u{1f600}`))
    spool.close()
    const whole = readFileSync(file)
    const cut = random.int(0, whole.length)
    truncateSync(file, cut)
    if (random.chance(0.3)) appendFileSync(file, random.bytes(random.int(1, 40)))
    const left = whole.subarray(0, cut).filter((byte) => byte === 10).length
    for (let time = 0; time < 3; time += 1) {
      const again = new Spool(file, bound)
      expect(again.waiting.map(({ n }) => n)).toEqual(Array.from({ length: left }, (_, index) => index + 1))
      again.close()
    }
    new Spool(file, bound).remove()
  }
})

test('what was acknowledged leaves the disk, also while more keeps coming', async () => {
  await using temp = await openTempDir()
  const file = join(temp.path, 'spool.jsonl')
  const spool = new Spool(file, bound)
  spool.lease(1)
  const intent = await spool.intend({ what: 'prompt', message: 'm1' })
  for (let n = 1; n <= 10_000; n += 1) {
    spool.append(output('x'.repeat(1_000)))
    if (n > 10) spool.acknowledge(n - 10)
  }
  expect(statSync(file).size).toBeLessThan(5 * 1024 * 1024)
  spool.close()
  const again = new Spool(file, bound)
  expect(again.waiting.map(({ n }) => n)).toEqual(Array.from({ length: 10 }, (_, index) => 9_991 + index))
  expect([again.fence, [...again.intents.keys()]]).toEqual([1, [intent]])
  again.remove()
  expect(readdirSync(temp.path)).toEqual([])
})

test('[R22] a full spool has no room until it is acknowledged', async () => {
  await using temp = await openTempDir()
  const spool = new Spool(join(temp.path, 'spool.jsonl'), 1_000)
  expect(spool.room()).toBeUndefined()
  for (let n = 0; n < 10; n += 1) spool.append(output('x'.repeat(100)))
  let isRoomy = false
  const room = spool.room()?.then(() => {
    isRoomy = true
  })
  spool.acknowledge(1)
  await Promise.resolve()
  expect(isRoomy).toBe(false)
  spool.acknowledge(10)
  await room
  expect(spool.room()).toBeUndefined()
  spool.close()
})

test('a spool of a session that somebody else holds is set aside, not lost', async () => {
  await using temp = await openTempDir()
  const file = join(temp.path, 'spool.jsonl')
  const spool = new Spool(file, bound)
  spool.append(output('mine'))
  spool.setAside()
  expect(existsSync(file)).toBe(false)
  const [aside] = readdirSync(temp.path)
  expect(readFileSync(join(temp.path, aside ?? ''), 'utf8')).toContain('mine')
})

test('neighbours that say one thing in pieces are joined, always in the same way', () => {
  const delta = (message: string, text: string): Report => ({
    type: 'message.delta',
    data: { message },
    body: { text },
  })
  const step = (body: Record<string, unknown>): Report => ({ type: 'step.progressed', data: { step: 's' }, body })
  const reports = [
    delta('m1', 'a'),
    delta('m1', 'b'),
    delta('m2', 'c'),
    output('1'),
    output('2'),
    output('3', 'stderr'),
    step({ title: 'T' }),
    step({ output: 'o' }),
    delta('m2', 'd'),
  ]
  const joined = coalesce(reports)
  expect(joined.reports).toEqual([
    delta('m1', 'ab'),
    delta('m2', 'c'),
    output('12'),
    output('3', 'stderr'),
    step({ title: 'T', output: 'o' }),
    delta('m2', 'd'),
  ])
  expect(joined.places).toEqual([0, 0, 1, 2, 2, 3, 4, 4, 5])
  expect(coalesce(structuredClone(reports))).toEqual(joined)
})
