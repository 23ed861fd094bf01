import { join } from 'node:path'
import type { Report } from '@hotline/protocol/commands/agent'
import { limits } from '@hotline/protocol/limits'
import { openTempDir } from '@hotline/testing/temp-dir'
import { expect, test } from 'vitest'
import { openLog } from '../src/log.ts'
import type { ServerLink } from '../src/server-link.ts'
import { Outbox } from '../src/spool/outbox.ts'
import { Spool } from '../src/spool/spool.ts'
import { linkOverCore } from './link-over-core.ts'
import { World } from './world.ts'

const output = (text: string): Report => ({
  type: 'output.appended',
  data: { source: 'stdout', encoding: 'utf8', bytes: Buffer.byteLength(text) },
  body: { text },
})
const step: Report = { type: 'step.progressed', data: { step: 's' }, body: { output: 'o'.repeat(30_000) } }

/** Outboxes of two sessions on one link; `sent` tells of each report in the order in which they went out. */
async function openOutboxes() {
  const temp = await openTempDir('hotline-outbox-')
  const world = new World()
  const core = linkOverCore(world)
  const sent: { name: string; chars: number; events: readonly Report[] }[] = []
  let heard: (name: string) => void = () => undefined
  const outboxes = ['first', 'second'].map((name) => {
    const { stream } = world.stream(world.start('demo'))
    world.command(stream, 'lease.take', {}, `take-${name}`)
    const link: ServerLink = {
      ...core,
      command: (to, type, data, options) => {
        sent.push({ name, chars: JSON.stringify(data).length, events: (data as { events: Report[] }).events })
        heard(name)
        // Answered before anything else of this process runs: only a pause lets somebody in between.
        return Promise.resolve(world.command(to, type, data, options?.id ?? ''))
      },
    }
    const spool = new Spool(join(temp.path, `${name}.jsonl`), 10_000_000)
    const outbox = new Outbox(
      link,
      stream,
      spool,
      openLog(() => undefined, []),
      () => undefined,
    )
    outbox.open(1)
    return { outbox, spool }
  })
  const [first, second] = outboxes
  if (!first || !second) throw new Error('two are needed')
  return {
    first: first.outbox,
    second: second.outbox,
    sent,
    onSent: (hear: (name: string) => void) => {
      heard = hear
    },
    async [Symbol.asyncDispose]() {
      for (const { outbox, spool } of outboxes) {
        await outbox.close()
        spool.close()
      }
      await temp.remove()
    },
  }
}

test('[R117] text that floods goes out in batches that fill a frame; what has more members in smaller ones', async () => {
  await using outboxes = await openOutboxes()
  const { first, sent } = outboxes
  const text = 'x'.repeat(4_000)
  for (let at = 0; at < 45; at += 1) first.put(output(text))
  await first.flush()
  expect(sent.map(({ chars }) => Math.round(chars / 10_000))).toEqual([6, 6, 6, 1])
  for (const { chars } of sent) expect(chars).toBeLessThan(limits.inboundFrameBytes - 2 * 1024)

  sent.length = 0
  for (const report of [output(text), step, output(text), step, ...Array.from({ length: 10 }, () => output(text))])
    first.put(report)
  await first.flush()
  expect(
    sent.flatMap(({ events }) => events.map(({ type }) => type)).filter((type) => type === step.type),
  ).toHaveLength(2)
  for (const { chars, events } of sent) {
    if (events.some(({ type }) => type === step.type)) expect(chars).toBeLessThan(40_000)
  }
})

test('[R117] between two batches of a flood another session is heard', async () => {
  await using outboxes = await openOutboxes()
  const { first, second, sent } = outboxes
  let isAsked = false
  outboxes.onSent(() => {
    if (isAsked) return
    isAsked = true
    setImmediate(() => second.put(output('one word')))
  })
  for (let at = 0; at < 60; at += 1) first.put(output('x'.repeat(4_000)))
  await first.flush()
  expect(sent.map(({ name }) => name).slice(0, 3)).toEqual(['first', 'second', 'first'])
})
