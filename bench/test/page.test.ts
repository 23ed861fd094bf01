import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { closing, opening, renderReport, replaceGenerated } from '../src/page.ts'
import { formatReport, mergeReports, readReport } from '../src/report.ts'
import { contender, fanoutOf, fixedReport, measured } from './fixed-report.ts'

const fanout = fanoutOf(measured(80_000, 160_000, 90_000), measured(100_000, 200_000, 100_000), measured(1, 2, 3))
const report = fixedReport(fanout)

describe('renderReport', () => {
  test('puts goals with their verdicts first, then the numbers, then what they were measured on', () => {
    const page = renderReport(report)
    expect(page).toContain(
      '| G1 | deliveries/s, N = 100, beside bare C with one send for each event | ≥ 0.75 | 0.80 [0.80–0.90] | met |  |',
    )
    expect(page).toContain(
      '| G2 | deliveries/s, coalesced, beside uWebSockets | ≥ 0.7 | – | not measured | uWebSockets is not in the package registry |',
    )
    expect(page.slice(page.indexOf('## Fan-out'))).toBe(`## Fan-out

As fast as it goes. Run 1, warm-up 3 s, window 2 s.

|  | deliveries/s | p50 ms | remarks |
| --- | ---: | ---: | --- |
| bare C, one send each | 100,000 [100,000–200,000] | 4.50 [4.00–5.00] |  |
| socket.io 4, recovery | 2 [1–3] | – |  |
| hotline | 90,000 [80,000–160,000] | 0.63 [0.50–0.75] |  |

## Runs

**Run 1**, begun 2026-01-02T03:04:05.678Z, commit 0123456789ab, full windows, 3 rounds, 60 s:

- processor: one that is described here
- node: v24.0.0
- noise: a round counts for no verdict where others used more than 16 % of a processor during its sample, which was taken up to three times
`)
  })

  test('puts cells with the same contenders beside each other, and says where a remark belongs', () => {
    const absent = { ...contender('socket.io 4, recovery', {}), samples: 0, absent: 'the time given was over' }
    const [cell] = fanout.cells
    const few = { ...cell, label: 'N = 10' }
    const many = {
      label: 'N = 1000',
      contenders: cell.contenders.map((row) => (row.name === absent.name ? absent : row)),
    }
    expect(renderReport(fixedReport({ ...fanout, cells: [few, many] }))).toContain(`
| deliveries/s | N = 10 | N = 1000 | remarks |
| --- | ---: | ---: | --- |
| bare C, one send each | 100,000 [100,000–200,000] | 100,000 [100,000–200,000] |  |
| socket.io 4, recovery | 2 [1–3] | – | N = 1000: left out: the time given was over |
| hotline | 90,000 [80,000–160,000] | 90,000 [80,000–160,000] |  |
`)
  })
})

describe('a report in a file', () => {
  test('is what it was, and a later run takes the place of what it measured again', () => {
    expect(JSON.parse(formatReport(report))).toEqual(report)
    const append = { ...fanout, name: 'append' }
    const merged = mergeReports(fixedReport(fanout, append), report)
    expect(merged.runs.map(({ scenarios }) => scenarios.map(({ name }) => name))).toEqual([['append'], ['fanout']])
    expect(mergeReports(merged, fixedReport(append, fanout)).runs).toHaveLength(1)
  })
})

test('what is written by hand stays, and a page without marks is refused', () => {
  const page = `# By hand\n${opening}old${closing}\nBy hand, too\n`
  const replaced = replaceGenerated(page, report)
  expect(replaced).toBe(`# By hand\n${opening}\n\n${renderReport(report)}\n${closing}\nBy hand, too\n`)
  expect(replaceGenerated(replaced, report)).toBe(replaced)
  expect(() => replaceGenerated('# Performance', report)).toThrow('no marks')
})

test('docs/performance.md shows what docs/performance.json holds: `npm run bench:table` writes it', () => {
  const page = readFileSync('docs/performance.md', 'utf8')
  expect(page).toBe(replaceGenerated(page, readReport('docs/performance.json')))
})
