import { spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { createWriteStream } from 'node:fs'
import { join } from 'node:path'
import type { Envelope } from '@hotline/protocol/event'
import { scriptPrompt } from '@hotline/demo-agent/script'
import { isLive } from '@hotline/protocol/session-status'
import { waitFor } from '@hotline/testing/wait-for'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Hotline, startHotline } from '../src/hotline.ts'
import { readMemory } from '../src/process-memory.ts'

// So much goes through each adapter in every run, about 20 MB; `HOTLINE_TEST_VOLUME=5` makes it 100 MB and 200,000 chunks.
const volume = Number(process.env['HOTLINE_TEST_VOLUME'] ?? '1')
const lines = 2_500_000 * volume
const chunks = 40_000 * volume

/** What processes may grow by, however much goes through them: buffers, caches and garbage that nobody has collected yet. */
const growthMaxMiB = 320

/** A run of the least volume takes a fraction of a minute on a quiet machine. */
const deadlineMs = 200_000 * volume

let hotline: Hotline
beforeAll(async () => {
  hotline = await startHotline()
})
afterAll(() => hotline[Symbol.asyncDispose]())

interface Digest {
  bytes: number
  hash: string
}

/** What a program prints, read by nothing but a loop. */
async function printedBy(program: string, args: readonly string[], lineEnd: '\n' | '\r\n'): Promise<Digest> {
  const child = spawn(program, args, { stdio: ['ignore', 'pipe', 'inherit'] })
  const hash = createHash('sha256')
  let bytes = 0
  for await (const chunk of child.stdout as AsyncIterable<Buffer>) {
    const text = lineEnd === '\n' ? chunk : Buffer.from(chunk.toString('latin1').replaceAll('\n', lineEnd), 'latin1')
    hash.update(text)
    bytes += text.length
  }
  return { bytes, hash: hash.digest('hex') }
}

/** All that the log of a session has of one kind, read page by page, each event in its place. */
async function logged(session: string, textOf: (event: Envelope) => string): Promise<Digest> {
  const hash = createHash('sha256')
  let [after, bytes, seq] = ['0', 0, 0]
  for (;;) {
    const page: { events: Envelope[]; next: string } = await hotline.api.get(
      `/api/sessions/${session}/events?after=${after}`,
    )
    if (page.events.length === 0) return { bytes, hash: hash.digest('hex') }
    for (const event of page.events) {
      if (event.seq !== (seq += 1)) throw new Error(`event ${event.seq} after ${seq - 1}`)
      const text = Buffer.from(textOf(event))
      hash.update(text)
      bytes += text.length
    }
    after = page.next
  }
}

const outputOf =
  (source: string) =>
  ({ type, data, body }: Envelope): string => {
    if (type !== 'output.appended' || data['source'] === 'log') return ''
    if (data['source'] !== source) throw new Error(`output of ${String(data['source'])}`)
    return String(body?.['text'])
  }

interface Grown {
  server: number
  runner: number
}

/** Does it, and answers by how much the processes have grown over it at the most. */
async function growthOf(work: () => Promise<void>): Promise<Grown> {
  const [server, runner] = [hotline.pidOf('server') ?? 0, hotline.pidOf('runner') ?? 0]
  const before = { server: readMemory(server), runner: readMemory(runner) }
  await work()
  const grown = (pid: number, { residentBytes }: { residentBytes: number }): number =>
    (readMemory(pid).peakBytes - residentBytes) / 1024 ** 2
  return { server: grown(server, before.server), runner: grown(runner, before.runner) }
}

function judge(what: string, grown: Grown, bytes: number): void {
  console.log(
    `${what}: ${(bytes / 1e6).toFixed(0)} MB; grown by ${grown.server.toFixed(0)} (server) and ${grown.runner.toFixed(0)} MiB (runner)`,
  )
  expect(grown.server).toBeLessThan(growthMaxMiB)
  expect(grown.runner).toBeLessThan(growthMaxMiB)
}

const over = ({ status }: { status: string }): boolean => !isLive(status as 'active')

describe('however much an agent prints', () => {
  it.each([
    ['command', 'pty', '\r\n'],
    ['pipe', 'stdout', '\n'],
  ] as const)('[R45] of a program (%s) everything is in the log, once and in order', async (agent, source, lineEnd) => {
    const { api, dataDir: cwd } = hotline
    const command = ['seq', '1', String(lines)]
    let session = ''
    const grown = await growthOf(async () => {
      session = await api.start(agent, '', { cwd, command })
      await api.until(session, 'the end', over, deadlineMs)
    })
    const wanted = await printedBy('seq', command.slice(1), lineEnd)
    expect(await logged(session, outputOf(source))).toEqual(wanted)
    judge(source, grown, wanted.bytes)
  })

  it('[R45] of a file that grows everything is in the log, once and in order', async () => {
    const { api } = hotline
    const file = join(hotline.dataDir, 'followed')
    const wanted = await printedBy('seq', ['1', String(lines)], '\n')
    let session = ''
    const grown = await growthOf(async () => {
      session = await api.start('log', '', { command: [file] })
      const writing = spawn('seq', ['1', String(lines)], { stdio: ['ignore', 'pipe', 'inherit'] })
      writing.stdout.pipe(createWriteStream(file))
      await once(writing, 'exit')
      const last = `${lines}\n`
      const isThere = async (): Promise<boolean> => {
        const { events } = await api.get<{ events: Envelope[] }>(`/api/sessions/${session}/transcript?limit=1`)
        return String(events.at(-1)?.body?.['text']).endsWith(`\n${last}`)
      }
      await waitFor(isThere, { what: 'the last line', deadlineMs, everyMs: 200 })
      await api.command(`session:${session}`, 'session.complete', {})
      await api.until(session, 'the end', over)
    })
    expect(await logged(session, outputOf('file'))).toEqual(wanted)
    judge('file', grown, wanted.bytes)
  })

  it('[R45] of an agent that speaks in very many pieces everything is in the log, once and in order', async () => {
    const { api, dataDir: cwd } = hotline
    const bytes = 40
    const prompt = scriptPrompt([{ do: 'flood', count: chunks, bytes }])
    const whole = Array.from({ length: chunks }, (_, n) => `${n + 1} `.padEnd(bytes, '.')).join('')
    let session = ''
    const grown = await growthOf(async () => {
      session = await api.start('demo', prompt, { cwd })
      await api.until(session, 'the end of the turn', ({ counts, turn }) => counts.turns === 1 && !turn, deadlineMs)
    })
    const deltas = await logged(session, ({ type, body }) => (type === 'message.delta' ? String(body?.['text']) : ''))
    expect(deltas).toEqual({
      bytes: Buffer.byteLength(whole),
      hash: createHash('sha256').update(whole).digest('hex'),
    })
    judge(`${chunks} chunks`, grown, deltas.bytes)
    await api.command(`session:${session}`, 'session.abort', {})
  })
})
