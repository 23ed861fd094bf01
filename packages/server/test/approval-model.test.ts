import { randomSeed } from '@hotline/testing/seed'
import { openTestPostgres } from '@hotline/testing/test-postgres'
import * as fc from 'fast-check'
import { afterAll, describe, expect, it } from 'vitest'
import { Scene } from './approval-model/scene.ts'
import { openStage } from './approval-model/stage.ts'
import { beginModel, steps } from './approval-model/steps.ts'

const postgres = await openTestPostgres()
afterAll(() => postgres.stop())

/** Histories that are made on SQLite, and an eighth of them on PostgreSQL. */
const runs = Number(process.env['HOTLINE_TEST_RUNS'] ?? 40)
/** Steps of one history; those that mean nothing where they come are left out. */
const maxCommands = 40
/** Of one history, many times what it needs. */
const patienceMs = 10_000

const stores: readonly [string, number, () => Promise<string | undefined>][] = [
  ['SQLite', runs, () => Promise.resolve(undefined)],
  ['PostgreSQL', Math.ceil(runs / 8), () => postgres.createDatabase()],
]

describe('the life of approvals, by chance, on the real server', () => {
  for (const [store, numRuns, open] of stores) {
    it(
      `[AM1] [T32] each ends once, as the log says, and its agent hears just that (${store})`,
      async () => {
        const seed = randomSeed(`the life of approvals on ${store}`)
        await using stage = await openStage(await open())
        const histories = fc.commands(steps, { maxCommands, size: 'max' })
        let finished = 0
        await fc.assert(
          fc.asyncProperty(histories, fc.scheduler(), async (history, scheduler) => {
            const scene = await Scene.open(stage, scheduler)
            try {
              const model = await beginModel(scene)
              await fc.asyncModelRun(() => ({ model, real: scene }), history)
              await scene.finish()
              finished += 1
            } finally {
              await scene.close()
            }
          }),
          { seed: seed | 0, numRuns, verbose: 1, endOnFailure: true },
        )
        expect(finished).toBe(numRuns)
      },
      60_000 + numRuns * patienceMs,
    )
  }
})
