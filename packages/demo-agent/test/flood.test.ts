import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test, vi } from 'vitest'
import { startAgent } from './agent-process.ts'

const CHUNKS = 20_000
const CHUNK_BYTES = 10_000

/** 200 MB flow by. A start needs about 60 MB; holding the flood would need more than 200. */
const MAX_PEAK_MIB = 160

async function readNumber(file: string, name: string): Promise<number> {
  const text = await readFile(file, 'utf8')
  return Number(new RegExp(`^${name}:\\s+(\\d+)`, 'm').exec(text)?.[1])
}

test('a flood of 20,000 chunks waits for a slow reader in bounded memory, in order and complete', async () => {
  await using agent = await startAgent()
  const session = await agent.open()
  const proc = `/proc/${agent.child.pid}`
  const written = (): Promise<number> => readNumber(`${proc}/io`, 'wchar')
  const before = await written()
  agent.child.stdout?.pause()
  const turn = agent.play(session, [{ do: 'flood', count: CHUNKS, bytes: CHUNK_BYTES }])

  // The agent stands still when it has written something and then nothing more for several looks.
  const looks: number[] = []
  await vi.waitFor(
    async () => {
      looks.push(await written())
      expect(new Set(looks.slice(-8)).size).toBe(1)
      expect(looks.length).toBeGreaterThan(8)
    },
    { timeout: 60_000, interval: 25 },
  )
  expect((looks.at(-1) ?? 0) - before).toBeGreaterThan(CHUNK_BYTES)
  expect((looks.at(-1) ?? 0) - before).toBeLessThan(10 * 1024 * 1024)

  agent.child.stdout?.resume()
  expect((await turn).result).toEqual({ stopReason: 'end_turn' })
  const numbers = agent.updates().flatMap(({ sessionUpdate, content }) => {
    return sessionUpdate === 'agent_message_chunk' ? [Number.parseInt((content as { text: string }).text, 10)] : []
  })
  expect(numbers).toEqual(Array.from({ length: CHUNKS }, (_, n) => n + 1))
  expect((await readNumber(`${proc}/status`, 'VmHWM')) / 1024).toBeLessThan(MAX_PEAK_MIB)
})

test('a cancel reaches an agent whose stdout is full', async () => {
  await using agent = await startAgent()
  const journal = join(agent.cwd, 'journal.jsonl')
  await using flooding = await startAgent({ cwd: agent.cwd, args: ['--journal', journal] })
  const session = await flooding.open()
  flooding.child.stdout?.pause()
  const turn = flooding.play(session, [{ do: 'flood', count: CHUNKS, bytes: CHUNK_BYTES }])
  flooding.notify('session/cancel', { sessionId: session })
  await vi.waitFor(async () => expect(await readFile(journal, 'utf8')).toContain('session/cancel'), 30_000)
  flooding.child.stdout?.resume()
  expect((await turn).result).toEqual({ stopReason: 'cancelled' })
  expect(flooding.messages.length).toBeLessThan(CHUNKS)
})

test('a fast reader does not keep a flood from hearing a cancel', async () => {
  await using agent = await startAgent()
  const session = await agent.open()
  const turn = agent.play(session, [{ do: 'flood', count: 50_000_000, bytes: 10 }])
  await vi.waitFor(() => expect(agent.said()).not.toBe(''), 30_000)
  agent.notify('session/cancel', { sessionId: session })
  expect((await turn).result).toEqual({ stopReason: 'cancelled' })
})
