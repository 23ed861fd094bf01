import { type Dialect, rawDialect, socketIoDialect } from '../dialects.ts'
import { nodeChild } from '../sample.ts'
import type { ApprovalSubject, Subject } from '../subject.ts'
import { startChildServer } from './child-server.ts'

function peer(name: string, script: string, dialect: Dialect): Subject {
  const url = new URL(`../peers/${script}`, import.meta.url)
  return {
    name,
    async start(bench, need) {
      const args = need.replay > 0 ? ['--replay', String(need.replay)] : []
      return { ...(await startChildServer(nodeChild(url, args, bench))), dialect }
    },
  }
}

/** `ws`, stringify and send for each client. */
export const wsNaive: Subject = peer('ws, naive', 'ws-naive.ts', rawDialect)
/** `ws`, one shared frame for each event, one write for each socket and turn of the event loop. */
export const wsCoalesced: Subject = peer('ws, coalesced', 'ws-coalesced.ts', rawDialect)
/** Socket.IO 4 with connection state recovery. */
export const socketIo: Subject = peer('socket.io 4, recovery', 'socket-io.ts', socketIoDialect)

/** `ws` that syncs what one side says before it passes it on to the other. */
export const wsSync: ApprovalSubject = {
  name: 'ws + fdatasync',
  async start(bench) {
    const url = new URL('../peers/ws-sync.ts', import.meta.url)
    return { ...(await startChildServer(nodeChild(url, [bench.scratch], bench))), session: {} }
  },
}
