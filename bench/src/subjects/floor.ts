import { rawDialect } from '../dialects.ts'
import { programPath, type Subject } from '../subject.ts'
import { startChildServer } from './child-server.ts'

function floor(name: string, how: 'each' | 'coalesced'): Subject {
  return {
    name,
    async start(bench) {
      const command = programPath(bench.programs.floor)
      const server = await startChildServer({ command, arguments: [how], cpu: bench.serverCpu, signal: bench.signal })
      return { ...server, dialect: rawDialect }
    },
  }
}

/** The bare server in C: one `send` for each client and event. */
export const floorEach: Subject = floor('bare C, one send each', 'each')
/** The bare server in C: the events of one epoll turn in one `send` for each client. */
export const floorCoalesced: Subject = floor('bare C, coalesced', 'coalesced')
