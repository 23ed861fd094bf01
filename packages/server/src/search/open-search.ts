import { join } from 'node:path'
import { SearchFollower, type SearchFollowerPorts } from './follower.ts'
import type { SearchIndex } from './search-index.ts'
import { SqliteIndex } from './sqlite-index.ts'

/** The index, and how far behind the log it is. */
export interface Search extends AsyncDisposable {
  readonly index: Pick<SearchIndex, 'find'>
  readonly follower: Pick<SearchFollower, 'indexedTo'>
}

/** Opens the index beside the log and follows the log from where it was. */
export function openSearch(dataDir: string, ports: Omit<SearchFollowerPorts, 'index'>): Search {
  const index = new SqliteIndex(join(dataDir, 'search.db'))
  const follower = new SearchFollower({ ...ports, index })
  return {
    index,
    follower,
    [Symbol.asyncDispose]: async () => {
      await follower[Symbol.asyncDispose]()
      await index[Symbol.asyncDispose]()
    },
  }
}
