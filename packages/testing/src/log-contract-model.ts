import type { Append, AppendResult } from '@hotline/server/log/log-store'
import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { agentEvent, parseWire, readAll } from './log-bench.ts'
import type { OpenLogBench } from './log-bench.ts'
import { randomSeed } from './seed.ts'

/** One append of a random group; `expect` is the distance from the head that the model has, so 0 is right. */
interface ModelAppend {
  stream: number
  expect: number | 'any'
  generation: number | undefined
  count: number
  gives: 'state' | 'nothing'
}

const streams = ['session:a', 'session:b', 'project:c']

const modelAppend: fc.Arbitrary<ModelAppend> = fc.record({
  stream: fc.nat({ max: streams.length - 1 }),
  expect: fc.oneof(
    { weight: 4, arbitrary: fc.constant('any' as const) },
    { weight: 4, arbitrary: fc.constant(0) },
    { weight: 1, arbitrary: fc.integer({ min: -2, max: 2 }) },
  ),
  generation: fc.oneof(
    { weight: 5, arbitrary: fc.constant(undefined) },
    { weight: 1, arbitrary: fc.integer({ min: 1, max: 3 }) },
  ),
  count: fc.nat({ max: 3 }),
  gives: fc.constantFrom('state', 'nothing'),
})

interface ModelStream {
  texts: string[]
  generation: number
  state: string | undefined
}

/** The whole store in twenty lines: arrays of texts. */
class Model {
  streams = new Map<string, ModelStream>()

  apply(group: readonly Append[]): AppendResult['ok'] {
    const next = structuredClone(this.streams)
    for (const { stream, expect: wanted, generation = 0, events, state } of group) {
      const before = next.get(stream) ?? { texts: [], generation: 0, state: undefined }
      if (generation > 0 && generation < (this.streams.get(stream)?.generation ?? 0)) return false
      if (wanted !== 'any' && wanted !== before.texts.length) return false
      next.set(stream, {
        texts: [...before.texts, ...events.map(({ body }) => (body as { text: string }).text)],
        generation: Math.max(before.generation, generation),
        state: state ?? before.state,
      })
    }
    this.streams = next
    return true
  }
}

/** Random groups of many writers at once against a model that does one after the other. */
export function modelContract(open: OpenLogBench): void {
  describe('model', () => {
    test('[L1] [L2] [L3] [L4] whatever is appended at once, it is as if one came after the other', async () => {
      await using bench = await open()
      const seed = randomSeed('log store against its model')
      let run = 0
      const rounds = fc.array(fc.array(fc.array(modelAppend, { minLength: 1, maxLength: 3 }), { maxLength: 12 }), {
        maxLength: 4,
      })
      await fc.assert(
        fc.asyncProperty(rounds, async (tries) => {
          run += 1
          const model = new Model()
          for (const round of tries) {
            const expected: boolean[] = []
            const results = await Promise.all(
              round.map((wanted, at) => {
                const group = wanted.map((append) => concrete(append, model, `${run} ${at}`, run))
                const result = bench.store.append(group)
                expected.push(model.apply(group))
                return result
              }),
            )
            expect(results.map(({ ok }) => ok)).toEqual(expected)
          }
          for (const [stream, { texts, generation, state }] of model.streams) {
            const head = await bench.store.head(stream)
            expect(head).toMatchObject({ head: texts.length, generation })
            expect(head?.state).toBe(state)
            expect((await readAll(bench.store, stream)).map((event) => parseWire(event).body?.text)).toEqual(texts)
            expect(await bench.store.verify(stream)).toBeUndefined()
          }
        }),
        { seed: seed | 0, numRuns: 25 },
      )
    })
  })
}

function concrete(wanted: ModelAppend, model: Model, text: string, run: number): Append {
  const stream = `${streams[wanted.stream]}-${run}`
  const head = model.streams.get(stream)?.texts.length ?? 0
  return {
    stream,
    expect: wanted.expect === 'any' ? 'any' : Math.max(0, head + wanted.expect),
    ...(wanted.generation === undefined ? {} : { generation: wanted.generation }),
    events: Array.from({ length: wanted.count }, (_, at) => agentEvent(`${text} ${at}`)),
    ...(wanted.gives === 'state' ? { state: JSON.stringify(text) } : {}),
  }
}
