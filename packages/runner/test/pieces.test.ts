import { readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { limits } from '@hotline/protocol/limits'
import { randomSeed, seededRandom } from '@hotline/testing/seed'
import { openTempDir } from '@hotline/testing/temp-dir'
import { waitFor } from '@hotline/testing/wait-for'
import { expect, test } from 'vitest'
import { isTooDeep, parseObject } from '../src/adapters/wire/json.ts'
import { LineSplitter } from '../src/adapters/wire/line-splitter.ts'
import { teeToFiles } from '../src/adapters/wire/tee.ts'
import { EventQueue } from '../src/adapters/event-queue.ts'
import { fit } from '../src/supervisor/fit-report.ts'

test('lines are the same however the bytes come, and one that is too long costs itself alone', () => {
  const random = seededRandom(randomSeed('lines'))
  for (let round = 0; round < 200; round += 1) {
    const lines = Array.from({ length: random.int(1, 12) }, (_, n) =>
      random.chance(0.2) ? 'x'.repeat(random.int(101, 450)) : `line ${n} \u{1f600}\u00e4`,
    )
    const bytes = Buffer.from(lines.map((line) => `${line}\n`).join(''))
    const splitter = new LineSplitter(100)
    const found: string[] = []
    const long: number[] = []
    let growing = 0
    for (let at = 0; at < bytes.length;) {
      const end = at + random.int(1, 60)
      for (const line of splitter.feed(bytes.subarray(at, end))) {
        if ('text' in line) found.push(line.text)
        else if ('droppedBytes' in line) long.push(line.droppedBytes)
        else growing += 1
      }
      at = end
    }
    expect(found).toEqual(lines.filter((line) => !line.startsWith('x')))
    expect(long).toEqual(lines.filter((line) => line.startsWith('x')).map(({ length }) => length))
    expect(growing).toBeGreaterThanOrEqual(long.length)
    expect([...splitter.end()]).toEqual([])
  }
})

test('word of a line that goes on comes when it is too long and with each further bound of it', () => {
  const splitter = new LineSplitter(100, 1_000)
  const words = (bytes: number): unknown[] => [...splitter.feed(Buffer.alloc(bytes, 'x'))]
  expect(words(100)).toEqual([])
  expect(words(1)).toEqual([{ growingBytes: 101 }])
  expect(words(1_000)).toEqual([])
  expect(words(1)).toEqual([{ growingBytes: 1_102 }])
  expect(words(2_000)).toEqual([{ growingBytes: 3_102 }])
  expect([...splitter.end()]).toEqual([{ droppedBytes: 3_102 }])
  expect([...splitter.feed(Buffer.from('and on\n'))]).toEqual([{ text: 'and on' }])
})

test('how deep a text nests is told before it is parsed; brackets in strings do not count', () => {
  expect(isTooDeep('[[[]]]', 3)).toBe(false)
  expect(isTooDeep('[[[[]]]]', 3)).toBe(true)
  expect(isTooDeep(String.raw`["[[[[\"[[[", {}]`, 2)).toBe(false)
  expect(isTooDeep('['.repeat(5_000_000), 64)).toBe(true)
  expect(parseObject('[]', 64)).toBeUndefined()
  expect(parseObject('{"a":', 64)).toBeUndefined()
  expect(parseObject('null', 64)).toBeUndefined()
  expect(parseObject('{"__proto__":{"polluted":true}}', 64)).toBeDefined()
  expect(({} as Record<string, unknown>)['polluted']).toBeUndefined()
})

test('whatever an agent puts into a step fits into one event', () => {
  const random = seededRandom(randomSeed('steps'))
  const deep = (levels: number): unknown => (levels === 0 ? 'bottom' : { in: [deep(levels - 1)] })
  const text = (): string => random.pick(['a', '\u0001', '\u{1f600}', '"', '\\']).repeat(random.int(0, 120_000))
  const depthOf = (value: unknown): number =>
    value === null || typeof value !== 'object' ? 0 : 1 + Math.max(0, ...Object.values(value).map(depthOf))
  for (let round = 0; round < 60; round += 1) {
    const report = fit({
      type: 'step.started',
      data: { step: 's', kind: 'edit' },
      body: {
        title: text(),
        input: random.pick<unknown>([text(), { a: text(), b: [text()] }, deep(random.int(1, 300)), undefined]),
        output: text(),
        locations: Array.from({ length: random.int(0, 500) }, () => '/a/path'),
        changes: Array.from({ length: random.int(0, 5) }, () => ({ path: 'p', oldText: text(), newText: text() })),
      },
    })
    expect(Buffer.byteLength(JSON.stringify(report))).toBeLessThan(limits.eventBytes)
    expect(depthOf(report)).toBeLessThan(limits.jsonDepth)
  }
})

test('a queue gives everything in order, has an end, and says when it is full', async () => {
  const queue = new EventQueue<{ n: number }>(1_000)
  for (let n = 1; n <= 10; n += 1) queue.push({ n }, 150)
  const room = queue.room()
  expect(room).toBeDefined()
  queue.end()
  queue.push({ n: 11 })
  const read: number[] = []
  for await (const { n } of queue) read.push(n)
  expect(read).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10])
  await room
})

test('what an agent says word for word goes to a file that only its owner reads, and only where that was asked for', async () => {
  await using temp = await openTempDir()
  const tee = teeToFiles(join(temp.path, 'wire'))('s1')
  tee('out', '{"id":1}\n')
  tee('in', '{"result":{}}')
  const file = join(temp.path, 'wire', 's1.ndjson')
  await waitFor(() => readFileSync(file, 'utf8').split('\n').length === 3, { what: 'two lines' })
  expect(statSync(file).mode & 0o077).toBe(0)
})
