import { readdir, stat } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'

/** Names that are said; of more, their number is. */
const namedMax = 5

/** A file beside a followed one that may hold what was written under its name. */
interface Beside {
  name: string
  bytes: number
  modifiedNs: bigint
}

/**
 * What is known to be missing where a file was moved away and another one has its name by now: files beside it that begin
 * with its name and were written to since the old one was, such as rotations in between, also packed ones. Whether they are
 * that, nobody can know from outside, so it is said as what it is. Undefined where there are none.
 */
export async function missedBetween(
  path: string,
  old: { id: string; modifiedNs: bigint },
  nextId: string,
): Promise<string | undefined> {
  const folder = dirname(path)
  const own = basename(path)
  const names = await readdir(folder).catch(() => [])
  const found: Beside[] = []
  for (const name of names) {
    if (name === own || !name.startsWith(own)) continue
    const told = await stat(join(folder, name), { bigint: true }).catch(() => undefined)
    if (!told?.isFile() || told.size === 0n) continue
    const id = `${told.dev}:${told.ino}`
    const modifiedNs = told.mtimeNs
    if (id !== old.id && id !== nextId && modifiedNs >= old.modifiedNs) {
      found.push({ name, bytes: Number(told.size), modifiedNs })
    }
  }
  if (found.length === 0) return undefined
  const named = found
    .toSorted((a, b) => Number(a.modifiedNs - b.modifiedNs) || (a.name < b.name ? 1 : -1))
    .slice(0, namedMax)
    .map(({ name, bytes }) => `${name} (${bytes} bytes)`)
  const more = found.length > namedMax ? ` and ${found.length - namedMax} more` : ''
  const which = found.length === 1 ? 'a file that was' : `${found.length} files that were`
  const are =
    found.length === 1
      ? 'If it is an older part of it, what it holds is'
      : 'If they are older parts of it, what they hold is'
  return `Beside ${path} there ${found.length === 1 ? 'is' : 'are'} ${which} written to before this one and not read: ${named.join(', ')}${more}. ${are} missing here.`
}
