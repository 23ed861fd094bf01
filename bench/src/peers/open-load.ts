import { randomUUID } from 'node:crypto'
import { parseArgs } from 'node:util'
import { quantile } from '../statistics.ts'

// Writes a session of so many events, as its runner, and then opens it again and again, as a page does: its state, and the
// newest window of its events. The window has as many events as the shortest session that is compared.

const flag = { type: 'string', default: '' } as const
const { values } = parseArgs({
  options: {
    port: flag,
    person: flag,
    runner: flag,
    stream: flag,
    fence: flag,
    events: flag,
    window: flag,
    opens: flag,
    'warmup-opens': flag,
  },
})
const { stream } = values
const session = stream.slice('session:'.length)
const origin = `http://localhost:${values.port}`
/** Events in one report: what a runner sends of an agent that floods. */
const reportEvents = 100

let failure = ''

async function ask(method: 'GET' | 'POST', path: string, token: string, body?: object): Promise<unknown> {
  const headers = { 'content-type': 'application/json', authorization: `Bearer ${token}` }
  const sent = body === undefined ? {} : { body: JSON.stringify(body) }
  const response = await fetch(new URL(path, origin), { method, headers, ...sent })
  const text = await response.text()
  if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${text.slice(0, 200)}`)
  return JSON.parse(text)
}

function outputOf(n: number): object {
  const text = `${n} `.padEnd(100, 'x')
  return { type: 'output.appended', data: { source: 'stdout', encoding: 'utf8', bytes: 100 }, body: { text } }
}

async function write(events: number): Promise<void> {
  for (let from = 0; from < events; from += reportEvents) {
    const reports = Array.from({ length: Math.min(reportEvents, events - from) }, (_, n) => outputOf(from + n))
    const data = { fence: Number(values.fence), events: reports }
    await ask('POST', '/api/commands', values.runner, { id: randomUUID(), stream, type: 'agent.report', data })
  }
}

/** Opens it so often; answers how long each took, in milliseconds. */
async function open(times: number): Promise<number[]> {
  const tookMs: number[] = []
  for (let n = 0; n < times; n += 1) {
    const startMs = performance.now()
    await ask('GET', `/api/sessions/${session}`, values.person)
    const path = `/api/sessions/${session}/transcript?limit=${values.window}`
    const window = (await ask('GET', path, values.person)) as { events: readonly unknown[] }
    tookMs.push(performance.now() - startMs)
    if (window.events.length !== Number(values.window)) failure ||= `a window of ${window.events.length} events`
  }
  return tookMs
}

function say(line: Record<string, unknown>): void {
  process.stdout.write(`${JSON.stringify(line)}\n`)
}

await write(Number(values.events))
await open(Number(values['warmup-opens']))
say({ phase: 'window' })
const cpu = process.cpuUsage()
const startMs = performance.now()
const tookMs = Float64Array.from(await open(Number(values.opens))).toSorted()
const used = process.cpuUsage(cpu)
const cpuShare = (used.user + used.system) / 1_000 / (performance.now() - startMs)
say({ phase: 'stop' })
say({ phase: 'result', p50Ms: quantile(tookMs, 0.5), p99Ms: quantile(tookMs, 0.99), cpuShare, failure })
