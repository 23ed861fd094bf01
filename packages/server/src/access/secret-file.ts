import { randomUUID } from 'node:crypto'
import { chmod, open, readFile, rename, rm } from 'node:fs/promises'

/** Writes a file that its owner alone can read (0600), whole or not at all. */
export async function writeSecretFile(path: string, text: string): Promise<void> {
  const draft = `${path}.${randomUUID()}`
  const file = await open(draft, 'wx', 0o600)
  try {
    await file.writeFile(`${text}\n`)
    await file.sync()
  } finally {
    await file.close()
  }
  await rename(draft, path)
}

/** The first line of a secret file; undefined where there is none. Takes rights away that others have on it. */
export async function readSecretFile(path: string): Promise<string | undefined> {
  try {
    await chmod(path, 0o600)
    return (await readFile(path, 'utf8')).split('\n', 1)[0]?.trim()
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw error
  }
}

/** Removes a secret file, whether or not there is one. */
export async function removeSecretFile(path: string): Promise<void> {
  await rm(path, { force: true })
}
