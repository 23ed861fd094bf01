import { type LiveServer, startLiveServer } from '@hotline/testing/live-server'
import { openTempDir, type TempDir } from '@hotline/testing/temp-dir'
import { afterAll, beforeAll } from 'vitest'

/** What tests of the program share: a server, and a home of its own for whoever uses it. */
export interface LiveScene {
  readonly live: LiveServer
  readonly home: TempDir
  /** The surroundings of somebody who is signed in at that server. */
  readonly env: Readonly<Record<string, string>>
}

/** Opens both before the tests of a file or block, and closes them after. */
export function liveScene(): LiveScene {
  let live: LiveServer
  let home: TempDir
  beforeAll(async () => {
    live = await startLiveServer()
    home = await openTempDir()
  })
  afterAll(async () => {
    await live[Symbol.asyncDispose]()
    await home.remove()
  })
  return {
    get live() {
      return live
    },
    get home() {
      return home
    },
    get env() {
      return { HOME: home.path, HOTLINE_URL: live.url, HOTLINE_TOKEN: live.token }
    },
  }
}
