import { once } from 'node:events'
import { createServer } from 'node:net'
import { join } from 'node:path'
import type { TestProject } from 'vitest/node'
import { startPrivatePostgres } from './private-postgres.ts'
import type { PrivatePostgres } from './private-postgres.ts'
import { openTempDir } from './temp-dir.ts'

declare module 'vitest' {
  interface ProvidedContext {
    /** The Unix socket at which test files ask for the cluster of the run. */
    hotlinePostgresDoor: string
  }
}

/** What is said at the door: one line of JSON. */
export type DoorAnswer = { readonly url: string } | { readonly failure: string }

/**
 * Vitest's global setup: one cluster for the whole run. Starting one takes about two seconds, so it is started when
 * the first test file asks at the door, and never when none does. Returns what ends it.
 */
export async function setup(project: TestProject): Promise<() => Promise<void>> {
  const directory = await openTempDir('hotline-door-')
  const path = join(directory.path, 'postgres')
  let cluster: Promise<PrivatePostgres> | undefined
  const server = createServer((socket) => {
    const answer = (content: DoorAnswer): void => {
      socket.end(`${JSON.stringify(content)}\n`)
    }
    socket.on('error', () => undefined)
    // A small database for many tests: what a real disk does to a commit is for the tests with their own cluster.
    cluster ??= startPrivatePostgres({ fsync: 'off' })
    cluster.then(
      ({ url }) => answer({ url }),
      (error: unknown) => answer({ failure: error instanceof Error ? error.message : String(error) }),
    )
  })
  server.listen(path)
  await once(server, 'listening')
  project.provide('hotlinePostgresDoor', path)
  return async () => {
    server.close()
    const started = await cluster?.catch(() => undefined)
    await started?.stop()
    await directory.remove()
  }
}
