import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { guardChildren } from '@hotline/testing/child-guard'
import { waitFor } from '@hotline/testing/wait-for'
import type { OutboxOrder } from '../children/outbox-client.ts'
import { type Done, expectNothing, FaultFound, type FaultRow, type Ground } from '../fault-row.ts'
import { keptIn } from '../file-outbox.ts'
import { startServerProcess } from '../server-process.ts'

const child = fileURLToPath(new URL('../children/outbox-client.ts', import.meta.url))

/** Row 21: a client dies between keeping a command and its answer; its next life sends what the outbox holds. */
export const clientDies: FaultRow = {
  row: 21,
  name: 'a client dies between send and answer, and its outbox is sent again by the next life',
  stores: ['sqlite', 'postgres'],
  run: async (ground: Ground): Promise<Done> => {
    const { random, amount, dir } = ground
    await using server = await startServerProcess(await ground.openStore())
    await using guard = guardChildren()
    // Nobody takes its messages, and at most so many may wait: each session gets few, and its own client.
    const counts = { clients: 0, lives: 0, 'server kills': 0, commands: 0 }
    const found: string[] = []
    for (let client = 0; client < (amount === 'some' ? 2 : 6); client += 1) {
      counts.clients += 1
      const runner = await server.startSession(server.link('runner'))
      const outbox = join(dir, `outbox-${client}.jsonl`)
      const order: OutboxOrder = {
        url: server.url,
        token: server.tokenOf('person'),
        stream: runner.stream,
        outbox,
        life: 0,
        commands: 24,
      }
      for (order.life = 1; order.life <= 4; order.life += 1) {
        counts.lives += 1
        await using one = await guard.startChild({ command: process.execPath, args: [child, JSON.stringify(order)] })
        const last = random.int(0, order.commands - 1)
        await waitFor(() => one.exit !== undefined || one.stdout.includes(`given ${last}\n`), {
          what: 'a moment to die',
          everyMs: random.int(1, 5),
        })
        if (random.chance(0.25)) {
          counts['server kills'] += 1
          await server.kill()
          await server.start()
        }
        one.kill('SIGKILL')
        await one.exited
      }
      const last = { ...order, life: 5, commands: 0 }
      await using delivering = await guard.startChild({
        command: process.execPath,
        args: [child, JSON.stringify(last)],
      })
      const exit = await delivering.exited
      if (exit.code !== 0) throw new FaultFound(`the last life ended with ${exit.code}: ${delivering.stderr}`)
      const kept = keptIn(outbox)
      counts.commands += kept.length
      const posted = (await server.stored(runner.session)).filter(({ type }) => type === 'message.posted')
      const wanted = kept.map(({ id, data }) => `${id} ${(data as { text: string }).text}`)
      const there = posted.map(({ cause, body }) => `${cause} ${String(body?.['text'])}`)
      if (wanted.join('\n') !== there.join('\n')) {
        const missing = wanted.filter((one) => !there.includes(one))
        const twice = there.filter((one, at) => there.indexOf(one) !== at)
        const strange = there.filter((one) => !wanted.includes(one))
        found.push(
          `client ${client}: missing [${missing.join()}], twice [${twice.join()}], unknown [${strange.join()}], or another order`,
        )
      }
    }
    expectNothing(found)
    return { counts }
  },
}
