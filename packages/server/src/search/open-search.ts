import { join } from 'node:path'
import type { DatabasePlace } from '../log/open-database.ts'
import { SearchFollower, type SearchFollowerPorts } from './follower.ts'
import type { SearchIndex } from './search-index.ts'
import { PostgresIndex } from './postgres-index.ts'
import { SqliteIndex } from './sqlite-index.ts'

/** The index, and how far behind the log it is. */
export interface Search extends AsyncDisposable {
  readonly index: Pick<SearchIndex, 'find'>
  readonly follower: Pick<SearchFollower, 'indexedTo'>
}

/** Opens the index beside the log and follows the log from where it was. */
export async function openSearch(place: DatabasePlace, ports: Omit<SearchFollowerPorts, 'index'>): Promise<Search> {
  const index =
    place.kind === 'sqlite' ? new SqliteIndex(join(place.dir, 'search.db')) : await PostgresIndex.open(place.url)
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
