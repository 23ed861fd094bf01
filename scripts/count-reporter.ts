import type { Reporter, TestModule } from 'vitest/node'

/** Ends a run with one plain line, `N passed, N failed, N skipped`, and says which tests were skipped and why. @public vitest.config.ts names it. */
export default class CountReporter implements Reporter {
  onTestRunEnd(modules: readonly TestModule[], errors: readonly unknown[]): void {
    let passed = 0
    let failed = 0
    const skipped: string[] = []
    for (const module of modules) {
      if (module.errors().length > 0) failed += 1
      for (const test of module.children.allTests()) {
        const result = test.result()
        if (result.state === 'passed') passed += 1
        else if (result.state === 'failed') failed += 1
        else
          skipped.push(
            `${test.fullName}: ${result.state === 'skipped' ? (result.note ?? 'no reason given') : 'did not run'}`,
          )
      }
    }
    for (const line of skipped) console.log(`skipped: ${line}`)
    console.log(`${passed} passed, ${failed + errors.length} failed, ${skipped.length} skipped`)
  }
}
