import { logStoreContract } from '@hotline/testing/log-store-contract'
import { openTestPostgres } from '@hotline/testing/test-postgres'
import { afterAll } from 'vitest'
import { postgresBenches } from './log-benches.ts'

const server = await openTestPostgres()
afterAll(() => server.stop())

logStoreContract('PostgreSQL', postgresBenches(server))
