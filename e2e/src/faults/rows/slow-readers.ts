import { openOracleClient, type OracleClient } from '@hotline/testing/oracle-client'
import { openPausableSockets } from '@hotline/testing/pausable-socket'
import { waitFor } from '@hotline/testing/wait-for'
import { readMemory } from '../../process-memory.ts'
import { line } from '../crowd.ts'
import { type Done, expectNothing, type FaultRow, type Ground } from '../fault-row.ts'
import { type ServerProcess, startServerProcess } from '../server-process.ts'

/** What a reader that reads nothing may cost the server: the window and the queue of its socket, with what hangs on them. */
const perSlowReaderBytes = 1024 * 1024
/** Between two runs without any slow reader the peak differs by about half of this, as the collector pleases. */
const noiseBytes = 64 * 1024 * 1024
const deadlineMs = 60_000
const lineChars = 20_000

interface Shape {
  healthy: number
  slow: number
  reports: number
}

/** Row 18: some readers read nothing, a little, or now and then; the others and the server must not feel it. */
export const slowReaders: FaultRow = {
  row: 18,
  name: 'readers at 0 B/s, 1 KB/s and read-pause-read beside healthy ones',
  stores: ['sqlite'],
  run: async (ground: Ground): Promise<Done> => {
    const { amount } = ground
    const shape = amount === 'some' ? { healthy: 6, slow: 9, reports: 60 } : { healthy: 20, slow: 30, reports: 120 }
    const without = await measure(ground, `${ground.dir}/without`, { ...shape, slow: 0 })
    const withSlow = await measure(ground, `${ground.dir}/with`, shape)
    const grownBytes = withSlow.peakBytes - without.peakBytes
    const boundBytes = shape.slow * perSlowReaderBytes + noiseBytes
    const mebibytes = (bytes: number): number => Math.round(bytes / 1024 / 1024)
    if (grownBytes > boundBytes) {
      expectNothing([`the server grew by ${mebibytes(grownBytes)} MiB for ${shape.slow} readers that do not read`])
    }
    return {
      counts: {
        healthy: shape.healthy,
        slow: shape.slow,
        'MiB streamed': mebibytes(withSlow.streamedBytes),
        'peak MiB without slow readers': mebibytes(without.peakBytes),
        'peak MiB with them': mebibytes(withSlow.peakBytes),
        'ms for the healthy without': Math.round(without.healthyMs),
        'ms for the healthy with them': Math.round(withSlow.healthyMs),
      },
    }
  },
}

async function measure(
  { random }: Ground,
  dir: string,
  shape: Shape,
): Promise<{ peakBytes: number; streamedBytes: number; healthyMs: number }> {
  await using server = await startServerProcess({ dir })
  const runner = await server.startSession(server.link('runner'))
  const { stream } = runner
  const follow = (link: ReturnType<ServerProcess['link']>, name: string): OracleClient => {
    const oracle = openOracleClient(link, name)
    oracle.follow(stream)
    return oracle
  }
  const healthy = Array.from({ length: shape.healthy }, (_, at) => follow(server.link(), `healthy ${at}`))
  const sockets = openPausableSockets()
  const nowAndThen = openPausableSockets()
  // A third of each kind: nothing, a little, now and then.
  const slow = Array.from({ length: shape.slow }, (_, at) => {
    if (at % 3 === 0) return follow(server.link('person', { url: server.proxyUrl }), `at 1 KB/s ${at}`)
    const { webSocket } = at % 3 === 1 ? sockets : nowAndThen
    return follow(server.link('person', { webSocket }), `${at % 3 === 1 ? 'at 0 B/s' : 'now and then'} ${at}`)
  })
  const everybody = [...healthy, ...slow]
  await waitFor(() => everybody.every((one) => one.at(stream) > 0), { what: 'everybody to follow', deadlineMs })
  server.proxy.bandwidth(1_024, { direction: 'toClient' })
  sockets.pause()
  const began = performance.now()
  let streamedBytes = 0
  for (let report = 0; report < shape.reports; report += 1) {
    if (report % 10 === 0) nowAndThen.pause()
    if (report % 10 === 7) nowAndThen.resume()
    const lines = Array.from({ length: 10 }, (_, at) => line(report * 10 + at, lineChars + random.int(0, 100)))
    streamedBytes += lines.reduce((sum, { body }) => sum + body.text.length, 0)
    await runner.report(...lines)
  }
  const head = (await server.stored(runner.session)).length
  // While the slow ones still do not read.
  await waitFor(() => healthy.every((one) => one.at(stream) >= head), {
    what: 'the healthy ones to be through',
    deadlineMs,
  })
  const healthyMs = performance.now() - began
  const behind = slow.filter((one) => one.at(stream) < head).length
  if (shape.slow > 0 && behind === 0) expectNothing(['no reader was slow: nothing was tried'])
  const { peakBytes } = readMemory(server.pid)
  nowAndThen.resume()
  sockets.resume()
  server.proxy.restore()
  await waitFor(() => everybody.every((one) => one.at(stream) >= head), {
    what: 'the slow ones to catch up',
    deadlineMs,
  })
  const stored = await server.stored(runner.session)
  expectNothing(everybody.flatMap((one) => one.violations(stream, stored, 'open')))
  return { peakBytes, streamedBytes, healthyMs }
}
