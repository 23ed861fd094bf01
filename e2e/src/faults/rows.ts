import type { FaultRow } from './fault-row.ts'
import { approvalLife } from './rows/approval-life.ts'
import { clientDies } from './rows/client-dies.ts'
import { crashInUpkeep } from './rows/crash-in-upkeep.ts'
import { frameTorture } from './rows/frame-torture.ts'
import { joinAnywhere } from './rows/join-anywhere.ts'
import { killAnyone } from './rows/kill-anyone.ts'
import { killServer } from './rows/kill-server.ts'
import { noResurrection } from './rows/no-resurrection.ts'
import { oldAndNew } from './rows/old-and-new.ts'
import { reconnectEverywhere } from './rows/reconnect-everywhere.ts'
import { saidTwice } from './rows/said-twice.ts'
import { sameOnBoth } from './rows/same-on-both.ts'
import { sickDisk } from './rows/sick-disk.ts'
import { slowReaders } from './rows/slow-readers.ts'
import { soak } from './rows/soak.ts'
import { snapshotAndTail } from './rows/snapshot-and-tail.ts'
import { switchTransports } from './rows/switch-transports.ts'

/** The rows of the list of faults that this repeats, in its order. */
export const faultRows: readonly FaultRow[] = [
  killServer,
  crashInUpkeep,
  noResurrection,
  sickDisk,
  joinAnywhere,
  reconnectEverywhere,
  slowReaders,
  saidTwice,
  clientDies,
  approvalLife,
  frameTorture,
  switchTransports,
  oldAndNew,
  soak,
  snapshotAndTail,
  sameOnBoth,
  killAnyone,
]
