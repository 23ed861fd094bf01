import { join } from 'node:path'
import type { ClientStore } from '@hotline/client/client-store'
import type { Link } from '@hotline/client/link'
import { openFolderStore } from '@hotline/client/node/folder-store'
import { afterAll, afterEach, beforeAll, beforeEach } from 'vitest'
import { type LiveServer, startLiveServer } from '../src/live-server.ts'
import { openTempDir, type TempDir } from '../src/temp-dir.ts'

/** What a visit asked of the server. */
export interface Counted {
  /** Paths that were asked for over HTTP. */
  readonly asked: string[]
  /** Cursors after which it follows. */
  readonly after: string[]
  /** Events that came by follows. */
  events: number
}

/** What tests of one visit after another share: a server for the file, and for each test a place for what is kept. */
export interface KeptScene {
  readonly live: LiveServer
  readonly dir: TempDir
  readonly store: ClientStore
  /** A link by the bad network, and what is asked by it. */
  countedLink(): { link: Link; counts: Counted }
  /** Ends it after the test. */
  endsWithTest(one: Disposable): void
}

/** Opens it for the tests of a file. */
export function keptScene(): KeptScene {
  let live: LiveServer
  let dir: TempDir
  let store: ClientStore
  const open: Disposable[] = []
  beforeAll(async () => {
    live = await startLiveServer()
  })
  beforeEach(async () => {
    dir = await openTempDir()
    store = await openFolderStore(join(dir.path, 'store'))
  })
  afterEach(async () => {
    live.proxy.restore()
    for (const one of open.splice(0)) one[Symbol.dispose]()
    await dir.remove()
  })
  afterAll(() => live[Symbol.asyncDispose]())
  return {
    get live() {
      return live
    },
    get dir() {
      return dir
    },
    get store() {
      return store
    },
    endsWithTest: (one) => void open.push(one),
    countedLink: () => countedLink(live.link({ url: live.proxyUrl })),
  }
}

function countedLink(link: Link): { link: Link; counts: Counted } {
  const counts: Counted = { asked: [], after: [], events: 0 }
  const counted: Link = {
    ...link,
    request: (method, path, body) => {
      counts.asked.push(path)
      return link.request(method, path, body)
    },
    follow: (stream, after, follower) => {
      counts.after.push(after)
      return link.follow(stream, after, {
        ...follower,
        events: (events, epoch) => {
          counts.events += events.length
          follower.events(events, epoch)
        },
      })
    },
  }
  return { link: counted, counts }
}
