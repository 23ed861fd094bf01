import { relative } from 'node:path'
import type { Reporter, TestModule } from 'vitest/node'
import { measuredRooms } from './measured-rooms.ts'

/** What is read of a map of coverage: the lines of each file. */
interface CoverageMap {
  files(): string[]
  fileCoverageFor(path: string): { toSummary(): { lines: { total: number; covered: number } } }
}

/**
 * Ends a run with one plain line, `N passed, N failed, N skipped`, and says which tests were skipped and why, and which
 * passed only at a second try (a fault to look into); with `--coverage`, how many of the lines of each room were run. @public vitest.config.ts names it.
 */
export default class CountReporter implements Reporter {
  #last = ''
  #coverage: string | undefined

  onCoverage(coverage: unknown): void {
    this.#coverage = `lines that tests run: ${sumOf(coverage as CoverageMap).join(', ')}`
  }

  onTestRunEnd(modules: readonly TestModule[], errors: readonly unknown[]): void {
    let passed = 0
    let failed = 0
    const skipped: string[] = []
    const second: string[] = []
    for (const module of modules) {
      if (module.errors().length > 0) failed += 1
      for (const test of module.children.allTests()) {
        const result = test.result()
        if (test.diagnostic()?.flaky)
          second.push(`${test.module.relativeModuleId}: ${test.fullName}\n${whyOf(result.errors ?? [])}`)
        if (result.state === 'passed') passed += 1
        else if (result.state === 'failed') failed += 1
        else
          skipped.push(
            `${test.fullName}: ${result.state === 'skipped' ? (result.note ?? 'no reason given') : 'did not run'}`,
          )
      }
    }
    for (const line of skipped) console.log(`skipped: ${line}`)
    for (const line of second) console.log(`passed only at the second try: ${line}`)
    const atSecond = second.length === 0 ? '' : ` (${second.length} only at the second try)`
    this.#last = `${passed} passed, ${failed + errors.length} failed, ${skipped.length} skipped${atSecond}`
    console.log(this.#last)
  }

  /** What is asked of coverage is checked after the tests, and speaks after them. */
  onFinishedReportCoverage(): void {
    if (this.#coverage) console.log(this.#coverage)
    console.log(this.#last)
  }
}

/** What went wrong at the first try. */
function whyOf(errors: readonly { message: string; stack?: string | undefined }[]): string {
  return errors.map(({ message, stack }) => `  ${stack ?? message}`).join('\n')
}

function sumOf(coverage: CoverageMap): readonly string[] {
  return measuredRooms.map((room) => {
    let total = 0
    let covered = 0
    for (const path of coverage.files()) {
      if (!relative(process.cwd(), path).startsWith(`${room}/`)) continue
      const { lines } = coverage.fileCoverageFor(path).toSummary()
      total += lines.total
      covered += lines.covered
    }
    return `${room} ${((covered / Math.max(total, 1)) * 100).toFixed(1)} %`
  })
}
