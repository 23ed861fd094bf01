import { spawn } from 'node:child_process'
import { expect, test } from 'vitest'
import { hasBegunSince, listEntries, markNow } from '../src/process/process-table.ts'

test('[R107] what began just before a moment is told from what began just after it, in one tick of the kernel too', () => {
  const started: ReturnType<typeof spawn>[] = []
  const begin = (): number => {
    const child = spawn('sleep', ['60'])
    started.push(child)
    if (child.pid === undefined) throw new Error('sleep could not be started')
    return child.pid
  }
  try {
    const rounds = Array.from({ length: 40 }, () => ({ before: begin(), mark: markNow(), after: begin() }))
    const entries = new Map(listEntries().map((entry) => [entry.pid, entry]))
    const told = rounds.map(({ before, mark, after }) =>
      [before, after].map((pid) => {
        const entry = entries.get(pid)
        return entry && hasBegunSince(mark, entry)
      }),
    )
    expect(told).toEqual(rounds.map(() => [false, true]))
    // Were they all some ticks apart, this would have shown nothing.
    const near = rounds.filter(({ before, mark }) => entries.get(before)?.startTicks === mark.ticks)
    expect(near.length).toBeGreaterThan(0)
  } finally {
    for (const child of started) child.kill('SIGKILL')
  }
})
