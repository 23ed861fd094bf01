// Appends from many writers at once until it is killed, and says on its standard output what was acknowledged. Started by
// log-crash.test.ts with one argument in JSON.
import { writeSync } from 'node:fs'
import { agentEvent } from '@hotline/testing/log-bench'
import { seededRandom } from '@hotline/testing/seed'
import { parseFailpoint } from '../src/log/failpoints.ts'
import { openDatabase } from '../src/log/open-database.ts'
import { systemClock } from '../src/machine/clock.ts'
import { systemIds } from '../src/machine/ids.ts'
import type { CrashOrder } from './log-crash.ts'
import { crashStreams } from './log-crash.ts'

const order = JSON.parse(process.argv[2] ?? '') as CrashOrder

/** Is with the parent when it returns, also where the parent is slow and the pipe between them is full. */
function say(...words: (string | number)[]): void {
  const line = Buffer.from(`${words.join(' ')}\n`)
  for (let written = 0; written < line.length;) {
    try {
      written += writeSync(1, line, written)
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EAGAIN') throw error
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1)
    }
  }
}

const database = await openDatabase(order.place, {
  clock: systemClock,
  ids: systemIds(() => systemClock.wallMs()),
  ...(order.failpoint === undefined ? {} : { failpoints: parseFailpoint(order.failpoint) }),
})
say('ready')

async function write(writer: number): Promise<void> {
  const random = seededRandom(order.seed).fork(`writer ${writer}`)
  for (let turn = 0; ; turn += 1) {
    const id = `${order.life}.${writer}.${turn}`
    const streams = random.shuffle(crashStreams).slice(0, random.chance(0.1) ? 2 : 1)
    const result = await database.store.append(
      streams.map((stream) => ({
        stream,
        expect: 'any',
        events: Array.from({ length: random.int(1, 4) }, (_, at) =>
          agentEvent(`${id}.${at} ${'x'.repeat(random.int(0, 3000))}`, `message:${writer}`),
        ),
        state: JSON.stringify({ id }),
        commands: [{ principal: `person:${writer}`, id, bodyHash: 'ab', answer: id }],
        rows: [{ table: 'facts', put: { name: `last of ${writer}`, value: id } }],
      })),
    )
    if (!result.ok) {
      say('refused', id, result.reason, JSON.stringify(result))
      await new Promise((resolve) => setTimeout(resolve, 20))
      continue
    }
    for (const { stream, head, events } of result.appended)
      say('ack', stream, head - events.length + 1, events.length, id)
  }
}

await Promise.all(Array.from({ length: order.writers }, (_, writer) => write(writer)))
