import type { Link } from '@hotline/client/link'
import { formatCursor } from '@hotline/protocol/stream'
import { type Applied, compareRecording } from '@hotline/testing/oracle-compare'
import { waitFor } from '@hotline/testing/wait-for'
import { line } from '../crowd.ts'
import { type Done, expectNothing, type FaultRow, type Ground } from '../fault-row.ts'
import { startServerProcess } from '../server-process.ts'

/** One follow, from its cursor until it has seen what was there when it began and a little of what came then. */
interface Join {
  name: string
  after: number
  applied: Applied[]
}

/** Row 8: somebody begins to follow at each point at which the log grows. */
export const joinAnywhere: FaultRow = {
  row: 8,
  name: 'a subscription begins while the log grows, at every point of it',
  stores: ['sqlite', 'postgres'],
  run: async (ground: Ground): Promise<Done> => {
    const { random, amount } = ground
    await using server = await startServerProcess(await ground.openStore())
    const runner = await server.startSession(server.link('runner'))
    const { stream } = runner
    const points = amount === 'some' ? 150 : 2_000
    const joins: Join[] = []
    let epoch = ''
    let head = 0
    const written = new AbortController()

    async function join(link: Link, name: string): Promise<void> {
      const after = random.chance(0.6) ? head : random.int(0, head)
      const applied: Applied[] = []
      const enough = after + random.int(1, 6)
      let reset: string | undefined
      const cursor = after === 0 ? '0' : formatCursor({ epoch, seq: after })
      const follow = link.follow(stream, cursor, {
        events: (events, of) => {
          for (const { seq, hash } of events) applied.push({ epoch: of, seq, hash })
        },
        reset: (to) => (reset = to),
      })
      joins.push({ name, after, applied })
      await waitFor(
        () =>
          (applied.at(-1)?.seq ?? after) >= (written.signal.aborted ? Math.min(enough, head) : enough) ||
          reset !== undefined,
        {
          what: `${name} to see ${enough} after ${after}`,
          everyMs: 1,
        },
      )
      follow.close()
      if (reset !== undefined) expectNothing([`${name} asked for ${cursor} and was told to begin anew at ${reset}`])
    }
    const writing = (async () => {
      for (let point = 0; point < points; point += 1) {
        const outcome = await runner.report(line(point))
        if (!outcome.ok) throw new Error(outcome.problem.detail)
        const [of = '', seq = ''] = outcome.accepted.cursor.split('.')
        epoch = of
        head = Number(seq)
      }
      written.abort()
    })()
    const joining = Array.from({ length: 8 }, async (_, at) => {
      const link = server.link()
      for (let turn = 0; !written.signal.aborted; turn += 1) await join(link, `follower ${at}, its follow ${turn}`)
    })
    await Promise.all([writing, ...joining])
    const stored = await server.stored(runner.session)
    const found = joins.flatMap(({ name, after, applied }) =>
      compareRecording({ name, stream, after, applied, commands: [], end: 'open' }, stored).map(({ what }) => what),
    )
    expectNothing(found)
    return { counts: { 'append points': points, joins: joins.length, events: stored.length } }
  },
}
