import { describe, expect, test } from 'vitest'
import { compareWithGoals, type GoalResult } from '../src/compare.ts'
import { type ContenderReport, mergeReports, type Report, type ScenarioReport } from '../src/report.ts'
import { contender, fanoutOf, fixedReport, measured } from './fixed-report.ts'

const bareC = measured(100, 200, 100)
const socketIo = measured(10, 20, 30)

function goal(report: Report, id: string): GoalResult {
  const found = compareWithGoals(report).find((result) => result.id === id)
  if (found === undefined) throw new Error(`no goal ${id}`)
  return found
}

describe('compareWithGoals', () => {
  test('has a row for each goal, and says why what is not measured is not', () => {
    const results = compareWithGoals(fixedReport())
    expect([...new Set(results.map(({ id }) => id))]).toEqual(Array.from({ length: 23 }, (_, index) => `G${index + 1}`))
    for (const { verdict, remarks, id } of results) {
      expect(verdict).toBe('not measured')
      if (id !== 'G17') expect(remarks.length).toBeGreaterThan(0)
    }
  })

  test('divides round by round: a slow minute that fell on both is none of either', () => {
    const result = goal(fixedReport(fanoutOf(measured(80, 160, 90), bareC, socketIo)), 'G1')
    expect(result).toMatchObject({ verdict: 'met', wanted: '≥ 0.75', remarks: [] })
    expect(result.reached).toEqual({ median: 0.8, min: 0.8, max: 0.9 })
  })

  test('is met or missed only where every round says so', () => {
    expect(goal(fixedReport(fanoutOf(measured(70, 140, 60), bareC, socketIo)), 'G1').verdict).toBe('missed')
    expect(goal(fixedReport(fanoutOf(measured(80, 140, 80), bareC, socketIo)), 'G1').verdict).toBe('not decided')
  })

  test('decides nothing by fewer than three rounds', () => {
    const result = goal(fixedReport(fanoutOf(measured(80, null, 90), bareC, socketIo)), 'G1')
    expect(result).toMatchObject({ verdict: 'not decided', reached: { min: 0.8, max: 0.9 } })
  })

  test('decides nothing by rounds in which others were busy, but shows them', () => {
    const fanout = fanoutOf(measured(80, 160, 90), bareC, socketIo)
    const row = contender('bare C, one send each', { deliveriesPerSecond: bareC })
    fanout.cells[0].contenders[0] = { ...row, foreignShares: [0, 0.5, 0.1] }
    expect(goal(fixedReport(fanout), 'G1')).toMatchObject({
      verdict: 'not decided',
      reached: { median: 0.8 },
      remarks: ['others were busy in 1 of 3 rounds'],
    })
  })

  test('says where windows were short, and where the load process was the limit', () => {
    const fanout = fanoutOf(measured(80, 160, 90), bareC, socketIo)
    const row = contender('bare C, one send each', { deliveriesPerSecond: bareC })
    fanout.cells[0].contenders[0] = { ...row, loadBound: true }
    const report = fixedReport(fanout)
    const short = { ...report, runs: report.runs.map((run) => ({ ...run, profile: 'quick' as const })) }
    expect(goal(short, 'G1').remarks.toSorted()).toEqual([
      'bare C, one send each: the load process was the limit',
      'short windows',
    ])
  })

  test('puts nothing together that was measured in different runs', () => {
    const row = (name: string, key: string, value: number): ContenderReport =>
      contender(name, { [key]: measured(value, value, value) })
    const scenario = (name: string, label: string, ...contenders: readonly ContenderReport[]): ScenarioReport => ({
      ...fanoutOf(bareC, bareC, bareC),
      name,
      cells: [{ label, contenders }],
    })
    const ours = [row('hotline', 'p50Ms', 0.9), row('hotline, commit off', 'p50Ms', 0.8)]
    const latency = scenario('latency', 'N = 100', ...ours)
    const append = scenario('append', '1 event a commit', row('preallocated file + fdatasync', 'p50Us', 50))
    expect(goal(fixedReport(latency, append), 'G5').reached?.median).toBeCloseTo(2)
    expect(goal(mergeReports(fixedReport(latency), fixedReport(append)), 'G5')).toMatchObject({
      verdict: 'not measured',
      remarks: ['its parts are of different runs'],
    })
  })

  test('counts a row of ours with a fault as a loss', () => {
    const fanout = fanoutOf(measured(80, 160, 90), bareC, socketIo)
    expect(goal(fixedReport(fanout), 'G17')).toMatchObject({ verdict: 'met', reached: { median: 0 } })
    fanout.cells[0].contenders[2] = { ...contender('hotline', {}), faults: ['1 gaps'] }
    expect(goal(fixedReport(fanout), 'G17')).toMatchObject({ verdict: 'missed', reached: { median: 1 } })
  })
})
