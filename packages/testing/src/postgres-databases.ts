import { randomBytes } from 'node:crypto'
import { Client } from 'pg'

/** How a new database begins. */
export interface DatabaseOptions {
  /** The name of a database of the same server to copy, e.g. one with the schema in it; nobody may be connected. */
  template?: string
}

async function withClient<T>(url: string, work: (client: Client) => Promise<T>): Promise<T> {
  const client = new Client({ connectionString: url })
  // A server that is killed while we are connected must not end the test run; the query fails anyway.
  client.on('error', () => undefined)
  await client.connect()
  try {
    return await work(client)
  } finally {
    await client.end()
  }
}

/** Runs one query on its own connection, for waiting until a server answers. Throws what the server throws. */
export async function probeDatabase(url: string): Promise<void> {
  await withClient(url, (client) => client.query('SELECT 1'))
}

/** The name of the database that a URL leads to. */
export function databaseName(url: string): string {
  return decodeURIComponent(new URL(url).pathname.slice(1))
}

/** Creates an empty database with a name of its own and gives its URL. Throws what the server throws. */
export async function createDatabaseOn(serverUrl: string, options: DatabaseOptions = {}): Promise<string> {
  const name = `hotline_test_${randomBytes(8).toString('hex')}`
  await withClient(serverUrl, (client) =>
    // template0 takes no connections, so nobody can be in the way of the copy.
    client.query(
      `CREATE DATABASE ${client.escapeIdentifier(name)} TEMPLATE ${client.escapeIdentifier(options.template ?? 'template0')}`,
    ),
  )
  const url = new URL(serverUrl)
  url.pathname = `/${name}`
  return url.href
}

/** Drops databases, whoever is connected. Throws what the server throws. */
export async function dropDatabasesOn(serverUrl: string, urls: Iterable<string>): Promise<void> {
  await withClient(serverUrl, async (client) => {
    for (const url of urls) {
      await client.query(`DROP DATABASE IF EXISTS ${client.escapeIdentifier(databaseName(url))} WITH (FORCE)`)
    }
  })
}
