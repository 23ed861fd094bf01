import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** A directory of its own that goes away with everything in it. */
export interface TempDir extends AsyncDisposable {
  /** Absolute path; readable by its owner alone. */
  readonly path: string
  /** Removes the directory; a second call does nothing. */
  remove(): Promise<void>
}

/** Makes an empty temporary directory; the prefix shows in its name. Throws what the file system throws. */
export async function openTempDir(prefix = 'hotline-test-'): Promise<TempDir> {
  const path = await mkdtemp(join(tmpdir(), prefix))
  // The retries are for a process that is just ending and still writes its last files in here.
  const remove = (): Promise<void> => rm(path, { recursive: true, force: true, maxRetries: 5, retryDelay: 50 })
  return { path, remove, [Symbol.asyncDispose]: remove }
}
