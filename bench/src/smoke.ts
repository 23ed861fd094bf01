import type { CellResult } from './rounds.ts'
import type { Scenario } from './scenario.ts'

/** What a smoke run says of one scenario, a line for each contender, and whether all is well. */
export interface SmokeVerdict {
  lines: readonly string[]
  ok: boolean
}

/** Judges a smoke run: every contender that the machine can run must have no fault, and something must have happened. */
export function judgeSmoke(scenario: Scenario, cells: readonly CellResult[]): SmokeVerdict {
  const first = scenario.metrics[0]
  const judged = cells.flatMap((cell) =>
    cell.contenders.map((contender) => {
      const where = `${scenario.name} · ${cell.label} · ${contender.name}`
      if (contender.absent !== undefined) return { ok: true, line: `left out  ${where}: ${contender.absent}` }
      const faults = contender.samples.flatMap((sample) => sample.faults)
      const value = first === undefined ? undefined : contender.samples[0]?.values[first.key]
      if (faults.length > 0) return { ok: false, line: `FAILED    ${where}: ${faults.join('; ')}` }
      if (value === undefined || !Number.isFinite(value)) return { ok: false, line: `FAILED    ${where}: no value` }
      return { ok: true, line: `ok        ${where}: ${first?.title} ${value.toFixed(first?.digits ?? 0)}, no fault` }
    }),
  )
  return { lines: judged.map(({ line }) => line), ok: judged.every(({ ok }) => ok) }
}
