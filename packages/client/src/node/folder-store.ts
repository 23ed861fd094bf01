import { createHash } from 'node:crypto'
import { mkdir, open, readdir, readFile, rename, rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { ClientStore } from '../client-store.ts'
import { type KeptList, keptListForm } from '../kept-list.ts'
import { type KeptSession, keptForm, keptSessionsMax } from '../kept-sessions.ts'
import type { WaitingCommand } from '../outbox.ts'

/**
 * What outlives a visit, in a folder of its own for each account and server; for one process at a time. A file is there
 * whole or not at all. Throws where the folder cannot be made.
 */
export async function openFolderStore(folder: string): Promise<ClientStore> {
  const outbox = join(folder, 'outbox')
  const sessions = join(folder, 'sessions')
  for (const one of [folder, outbox, sessions]) await mkdir(one, { recursive: true, mode: 0o700 })
  const list = join(folder, 'list.json')
  const places = new Map<string, string>()
  let last = 0
  for (const name of (await readdir(outbox)).toSorted()) {
    const command = await readWhole<WaitingCommand>(join(outbox, name))
    if (command) places.set(command.id, name)
    last = Math.max(last, Number.parseInt(name, 10) || 0)
  }
  let erased = false
  let cleared = false
  const commandsInTurn = openTurns()
  const keptInTurn = openTurns()
  const fileOf = (session: string): string =>
    join(sessions, `${createHash('sha256').update(session).digest('hex')}.json`)

  async function prune(): Promise<void> {
    const names = await readdir(sessions)
    if (names.length <= keptSessionsMax) return
    const all = await Promise.all(
      names.map(async (name) => ({ name, kept: await readWhole<KeptSession>(join(sessions, name)) })),
    )
    const oldest = all.toSorted((a, b) => (a.kept?.keptAt ?? 0) - (b.kept?.keptAt ?? 0))
    for (const { name } of oldest.slice(0, names.length - keptSessionsMax)) await rm(join(sessions, name))
  }

  return {
    outbox: {
      put: async (command) => {
        if (erased || places.has(command.id)) return
        // Names that grow: reading them in order gives the order in which they were put.
        const name = `${String((last += 1)).padStart(16, '0')}.json`
        places.set(command.id, name)
        await commandsInTurn(() => writeWhole(join(outbox, name), command))
      },
      remove: async (id) => {
        const name = places.get(id)
        places.delete(id)
        if (name !== undefined) await commandsInTurn(() => rm(join(outbox, name), { force: true }))
      },
      all: async () => {
        const read = [...places.values()].toSorted().map((name) => readWhole<WaitingCommand>(join(outbox, name)))
        return (await Promise.all(read)).filter((command) => command !== undefined)
      },
    },
    sessions: {
      read: async (session) => {
        const kept = await readWhole<KeptSession>(fileOf(session))
        return kept?.form === keptForm && kept.session === session ? kept : undefined
      },
      keep: async (kept) => {
        try {
          await keptInTurn(async () => {
            if (erased || cleared) return
            await writeWhole(fileOf(kept.session), kept)
            await prune()
          })
        } catch {
          // The disk is full: the next visit reads it from the server.
        }
      },
      drop: (session) => keptInTurn(() => rm(fileOf(session), { force: true })),
      clear: () => {
        cleared = true
        return keptInTurn(() => rm(sessions, { recursive: true, force: true }))
      },
    },
    list: {
      read: async () => {
        const kept = await readWhole<KeptList>(list)
        return kept?.form === keptListForm ? kept : undefined
      },
      keep: async (kept) => {
        try {
          await keptInTurn(async () => {
            if (erased || cleared) return
            await (kept ? writeWhole(list, kept) : rm(list, { force: true }))
          })
        } catch {
          // As above.
        }
      },
      clear: () => {
        cleared = true
        return keptInTurn(() => rm(list, { force: true }))
      },
    },
    erase: () => {
      erased = true
      places.clear()
      const remove = (): Promise<void> => rm(folder, { recursive: true, force: true })
      return commandsInTurn(() => keptInTurn(remove))
    },
  }
}

/** Does one piece of work after the other, in the order in which they were given. */
function openTurns(): <T>(work: () => Promise<T>) => Promise<T> {
  let last: Promise<unknown> = Promise.resolve()
  return (work) => {
    const done = last.then(work)
    last = done.catch(() => undefined)
    return done
  }
}

/** What was written whole; undefined for what is not there, or cannot be read. */
// oxlint-disable-next-line typescript/no-unnecessary-type-parameters -- the caller names what it has written
async function readWhole<T>(path: string): Promise<T | undefined> {
  try {
    return JSON.parse(await readFile(path, 'utf8')) as T
  } catch {
    return undefined
  }
}

async function writeWhole(path: string, value: unknown): Promise<void> {
  const draft = `${path}.draft`
  const file = await open(draft, 'w', 0o600)
  try {
    await file.writeFile(JSON.stringify(value))
    await file.datasync()
  } finally {
    await file.close()
  }
  await rename(draft, path)
}
