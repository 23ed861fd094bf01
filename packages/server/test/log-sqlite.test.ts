import { logStoreContract } from '@hotline/testing/log-store-contract'
import { openSqliteBench } from './log-benches.ts'

logStoreContract('SQLite', openSqliteBench)
