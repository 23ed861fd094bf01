import type { AppendSubject, ApprovalSubject, HttpSubject, Subject } from './subject.ts'
import {
  fileAppend,
  hotlinePostgresAppend,
  hotlinePostgresWriters,
  hotlineSqliteAppend,
  postgresAppend,
  sqliteAppend,
} from './subjects/append-peers.ts'
import { floorCoalesced, floorEach } from './subjects/floor.ts'
import { bareFastify, durableStreams } from './subjects/http-peers.ts'
import {
  hotline,
  hotlineAppend,
  hotlineApproval,
  hotlineCommitOff,
  hotlineRead,
  hotlineReports,
} from './subjects/hotline.ts'
import { socketIo, wsCoalesced, wsNaive, wsSync } from './subjects/node-peers.ts'

// Who takes part in what. A further subject is a file in subjects/ and its name in these lists.

/** Fan-out and latency: everybody gets what one publishes. */
export const fanoutSubjects: readonly Subject[] = [
  floorEach,
  floorCoalesced,
  wsNaive,
  wsCoalesced,
  socketIo,
  hotline,
  hotlineCommitOff,
  hotlineReports,
]

/** Readers that stop reading. `bounded`: whether it keeps its memory bounded and may run for the full time. */
export const stallSubjects: readonly { subject: Subject; bounded: boolean }[] = [
  { subject: wsNaive, bounded: false },
  { subject: wsCoalesced, bounded: false },
  { subject: hotline, bounded: true },
]

/** Reconnect storms: newcomers that get `replay` events each. */
export const stormSubjects: readonly { name: string; subject: Subject; replay: number }[] = [
  { name: 'ws, upgrade only', subject: wsCoalesced, replay: 0 },
  { name: 'ws, one shared buffer', subject: wsCoalesced, replay: 100 },
  { name: 'hotline', subject: hotline, replay: 100 },
]

/** Idle connections. */
/** Whose connections come and go. */
export const leakSubjects: readonly Subject[] = [wsNaive, hotline]
export const memorySubjects: readonly Subject[] = [floorEach, wsNaive, socketIo, hotline]

/** Simple reads over HTTP. */
export const httpSubjects: readonly HttpSubject[] = [bareFastify, hotlineRead]

/** Durable appends to one stream by many writers over HTTP. */
export const writerSubjects: readonly HttpSubject[] = [durableStreams, hotlineAppend]

/** Durable appends by one program in a loop. */
export const appendSubjects: readonly AppendSubject[] = [
  fileAppend,
  sqliteAppend,
  hotlineSqliteAppend,
  postgresAppend,
  hotlinePostgresAppend,
  hotlinePostgresWriters,
]

/** Questions and answers; the first is what the others are compared with. */
export const approvalSubjects: readonly ApprovalSubject[] = [wsSync, hotlineApproval]
