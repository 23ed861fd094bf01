import { memoryOutbox, type Outbox, type WaitingCommand } from './outbox.ts'

const store = 'commands'

/**
 * An outbox that outlives the page: what was given in a tunnel is sent after the next visit. `name` keeps accounts apart
 * (what one person left behind is never sent as another); it is the server and the account. Where the browser has no
 * IndexedDB for us (a private window) commands are kept in memory.
 */
export async function openIndexedDbOutbox(name: string): Promise<Outbox> {
  let database: IDBDatabase
  try {
    database = await openDatabase(`hotline-outbox:${name}`)
  } catch {
    // Refused or missing: the page works, it only forgets with the tab.
    return memoryOutbox()
  }
  // Another tab with a newer version wants to change the database.
  database.addEventListener('versionchange', () => database.close())
  return {
    put: async (command) => {
      const transaction = database.transaction(store, 'readwrite', { durability: 'strict' })
      const commands = transaction.objectStore(store)
      const known = await answerOf(commands.index('id').getKey(command.id))
      if (known === undefined) commands.add(command)
      await finished(transaction)
    },
    remove: async (id) => {
      const transaction = database.transaction(store, 'readwrite')
      const commands = transaction.objectStore(store)
      const key = await answerOf(commands.index('id').getKey(id))
      if (key !== undefined) commands.delete(key)
      await finished(transaction)
    },
    all: async () => {
      const transaction = database.transaction(store, 'readonly')
      const commands = transaction.objectStore(store)
      return (await answerOf(commands.getAll())) as WaitingCommand[]
    },
  }
}

async function openDatabase(name: string): Promise<IDBDatabase> {
  const opening = indexedDB.open(name, 1)
  opening.addEventListener('upgradeneeded', () => {
    // Keys that grow: reading all of them gives the order in which they were put.
    const commands = opening.result.createObjectStore(store, { autoIncrement: true })
    commands.createIndex('id', 'id', { unique: true })
  })
  return await answerOf(opening)
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
