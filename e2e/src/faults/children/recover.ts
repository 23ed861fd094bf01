// Opens a log, as every start does, and closes it again. Started by rows that let it die on the way.
import { openDatabase } from '@hotline/server/log/open-database'
import { parseFailpoint } from '@hotline/server/log/failpoints'
import { systemClock } from '@hotline/server/machine/clock'
import { systemIds } from '@hotline/server/machine/ids'

/** Where the log is, and where this process is to die. */
export interface RecoverOrder {
  dir: string
  failpoint?: string | undefined
}

const { dir, failpoint } = JSON.parse(process.argv[2] ?? '') as RecoverOrder
const database = await openDatabase(
  { kind: 'sqlite', dir },
  {
    clock: systemClock,
    ids: systemIds(() => systemClock.wallMs()),
    ...(failpoint === undefined ? {} : { failpoints: parseFailpoint(failpoint) }),
  },
)
await database[Symbol.asyncDispose]()
