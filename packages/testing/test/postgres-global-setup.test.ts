import { fileURLToPath } from 'node:url'
import { expect, onTestFinished, test } from 'vitest'
import { guardChildren } from '../src/child-guard.ts'
import { postgresUrlVariable, privatePostgresAvailability } from '../src/postgres-binaries.ts'
import { listProcesses } from '../src/process-list.ts'

test.skipIf(!privatePostgresAvailability().available)(
  'the files of one run share one cluster, each test has databases of its own, and nothing is left',
  async () => {
    const guard = guardChildren()
    onTestFinished(() => guard[Symbol.asyncDispose]())
    const vitest = fileURLToPath(new URL('vitest.mjs', import.meta.resolve('vitest/package.json')))
    const config = fileURLToPath(new URL('shared-cluster/vitest.config.ts', import.meta.url))
    const run = await guard.startChild({
      command: process.execPath,
      args: [vitest, 'run', '--config', config],
      env: { NO_COLOR: '1', [postgresUrlVariable]: undefined },
    })
    const exit = await run.exited
    expect(exit, `${run.stdout}\n${run.stderr}`).toEqual({ code: 0, signal: null })
    const ports = [...run.stdout.matchAll(/^cluster (\d+)$/gm)].map(([, port]) => port)
    const databases = [...run.stdout.matchAll(/^database (\S+)$/gm)].map(([, url]) => url)
    expect([ports.length, new Set(ports).size]).toEqual([2, 1])
    expect(new Set(databases).size).toBe(4)
    expect(listProcesses().filter((entry) => entry.command.includes(`port=${ports[0]}`))).toEqual([])
    await guard.assertNoSurvivors()
  },
)
