import type { ClientStore } from './client-store.ts'
import { forgetfulList, type KeptList, keptListForm } from './kept-list.ts'
import { forgetful, type KeptSession, keptForm, keptSessionsMax } from './kept-sessions.ts'
import { memoryOutbox, type WaitingCommand } from './outbox.ts'
import { uuidV7 } from './uuid.ts'

/**
 * 1: `commands`. 2: `sessions` and `life` beside them. 3: `list`. A page of an older version that is still open cannot keep anything
 * once a newer one has opened the database; it works, and forgets with the tab.
 */
const version = 3
const prefix = 'hotline-outbox:'
/** A page that is frozen or hangs may hold the database, or a part of it: after this we do without. */
const patienceMs = 3_000

/**
 * What outlives the page: commands that were given in a tunnel are sent after the next visit, and what was seen last is
 * shown at once. `name` keeps accounts apart (what one person left behind is never there for another); it is the server
 * and the account. Where the browser has no IndexedDB for us (a private window) commands are kept in memory, and nothing
 * else is.
 */
export async function openBrowserStore(name: string): Promise<ClientStore> {
  try {
    const database = await openDatabase(prefix + name)
    return storeIn(database, prefix + name, await inTime(lifeOf(database)))
  } catch {
    // Refused or missing: the page works, it only forgets with the tab.
    return { outbox: memoryOutbox(), sessions: forgetful, list: forgetfulList, erase: () => Promise.resolve() }
  }
}

function storeIn(database: IDBDatabase, name: string, life: string): ClientStore {
  // A tab with a newer version, or one that signs out, wants to change the database.
  database.addEventListener('versionchange', () => database.close())

  let cleared = false
  /** Carries out a change, unless what this page knows was erased since: a page that slept would bring it back. */
  async function change(
    store: string,
    durability: IDBTransactionDurability,
    act: (objects: IDBObjectStore) => Promise<unknown>,
  ): Promise<void> {
    const transaction = database.transaction([store, 'life'], 'readwrite', { durability })
    const done = finished(transaction)
    // Whoever waits for `done` hears of it; nobody does where what comes before fails.
    done.catch(() => undefined)
    if ((await answerOf(transaction.objectStore('life').get('life'))) === life) {
      await act(transaction.objectStore(store))
    }
    await done
  }

  return {
    outbox: {
      put: (command) =>
        inTime(
          change('commands', 'strict', async (commands) => {
            const known = await answerOf(commands.index('id').getKey(command.id))
            if (known === undefined) commands.add(command)
          }),
        ),
      remove: (id) =>
        change('commands', 'default', async (commands) => {
          const key = await answerOf(commands.index('id').getKey(id))
          if (key !== undefined) commands.delete(key)
        }),
      all: async () => {
        const commands = database.transaction('commands', 'readonly').objectStore('commands')
        return (await inTime(answerOf(commands.getAll()))) as WaitingCommand[]
      },
    },
    sessions: {
      read: async (session) => {
        try {
          const sessions = database.transaction('sessions', 'readonly').objectStore('sessions')
          const kept = (await inTime(answerOf(sessions.get(session)))) as KeptSession | undefined
          return kept?.form === keptForm ? kept : undefined
        } catch {
          // It is read from the server.
          return undefined
        }
      },
      keep: async (kept) => {
        if (cleared) return
        try {
          await change('sessions', 'relaxed', async (sessions) => {
            const before = (await answerOf(sessions.get(kept.session))) as KeptSession | undefined
            if (before && isAhead(before, kept)) return
            sessions.put(kept)
            const oldest = await answerOf(sessions.index('keptAt').getAllKeys())
            for (const key of oldest.slice(0, Math.max(0, oldest.length - keptSessionsMax))) sessions.delete(key)
          })
        } catch {
          // The disk is full, or the database was closed: the next visit reads it from the server.
        }
      },
      drop: async (session) => {
        try {
          await change('sessions', 'default', async (sessions) => answerOf(sessions.delete(session)))
        } catch {
          // As above; a session that must not be read is refused by the server.
        }
      },
      clear: async () => {
        cleared = true
        try {
          await change('sessions', 'strict', async (sessions) => answerOf(sessions.clear()))
        } catch {
          // The database was closed by a page that erases it.
        }
      },
    },
    list: {
      read: async () => {
        try {
          const lists = database.transaction('list', 'readonly').objectStore('list')
          const kept = (await inTime(answerOf(lists.get('list')))) as KeptList | undefined
          return kept?.form === keptListForm ? kept : undefined
        } catch {
          return undefined
        }
      },
      keep: async (kept) => {
        if (cleared) return
        try {
          await change('list', 'relaxed', async (lists) => {
            if (kept) lists.put(kept, 'list')
            else lists.delete('list')
          })
        } catch {
          // As above.
        }
      },
      clear: async () => {
        cleared = true
        try {
          await change('list', 'strict', async (lists) => answerOf(lists.clear()))
        } catch {
          // The database was closed by a page that erases it.
        }
      },
    },
    erase: async () => {
      const transaction = database.transaction([...database.objectStoreNames], 'readwrite', { durability: 'strict' })
      for (const store of database.objectStoreNames) transaction.objectStore(store).clear()
      await finished(transaction)
      database.close()
      // Waits for pages that sleep; what they hold is empty already.
      indexedDB.deleteDatabase(name)
    },
  }
}

/** What was kept by another tab, which has seen more of the same log. */
function isAhead(before: KeptSession, kept: KeptSession): boolean {
  const [epoch, seq] = before.cursor.split('.')
  const [ours, at] = kept.cursor.split('.')
  return before.form === kept.form && epoch === ours && Number(seq) > Number(at)
}

async function openDatabase(name: string): Promise<IDBDatabase> {
  const opening = indexedDB.open(name, version)
  opening.addEventListener('upgradeneeded', ({ oldVersion }) => {
    const { result: database } = opening
    if (oldVersion < 1) {
      // Keys that grow: reading all of them gives the order in which they were put.
      const commands = database.createObjectStore('commands', { autoIncrement: true })
      commands.createIndex('id', 'id', { unique: true })
    }
    if (oldVersion < 2) {
      database.createObjectStore('sessions', { keyPath: 'session' }).createIndex('keptAt', 'keptAt')
      database.createObjectStore('life')
    }
    if (oldVersion < 3) database.createObjectStore('list')
  })
  let late = false
  const opened = answerOf(opening)
  opened.then(
    (database) => late && database.close(),
    () => undefined,
  )
  try {
    return await inTime(opened)
  } catch (error) {
    late = true
    throw error
  }
}

/** What it answers, unless another page keeps it waiting for too long; then it may still be done later. */
async function inTime<T>(doing: Promise<T>): Promise<T> {
  let timer: ReturnType<typeof setTimeout> | undefined
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(new Error('another page does not let go of the database')), patienceMs)
  })
  try {
    return await Promise.race([doing, late])
  } finally {
    clearTimeout(timer)
  }
}

/** Names what the database holds until it is erased. */
async function lifeOf(database: IDBDatabase): Promise<string> {
  const transaction = database.transaction('life', 'readwrite')
  const done = finished(transaction)
  done.catch(() => undefined)
  const lives = transaction.objectStore('life')
  const known = (await answerOf(lives.get('life'))) as string | undefined
  const life = known ?? uuidV7()
  if (known === undefined) lives.put(life, 'life')
  await done
  return life
}

function answerOf<T>(request: IDBRequest<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    request.addEventListener('success', () => resolve(request.result))
    request.addEventListener('error', () => reject(request.error ?? new Error('IndexedDB gave no answer')))
  })
}

function finished(transaction: IDBTransaction): Promise<void> {
  return new Promise((resolve, reject) => {
    transaction.addEventListener('complete', () => resolve())
    transaction.addEventListener('abort', () => reject(transaction.error ?? new Error('IndexedDB gave up')))
  })
}
