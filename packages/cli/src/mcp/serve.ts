import { once } from 'node:events'
import { StdioServerTransport } from '@modelcontextprotocol/sdk/server/stdio.js'
import { openDeskClient } from '@hotline/runner/desk/desk-client'
import { openTools } from './tools.ts'

/** Serves the tools over standard input and output until the client goes, or `stopped`. */
export async function serveTools(of: {
  /** Asked at the first call, and again where the session has gone. */
  findDesk: () => Promise<string>
  version: string
  stdin: NodeJS.ReadStream
  stopped: AbortSignal
}): Promise<void> {
  const desk = openDeskClient(of.findDesk)
  try {
    const server = openTools(desk, of.version)
    // The transport does not look at the end of its input.
    const ends = [once(of.stdin, 'end'), once(of.stopped, 'abort')]
    await server.connect(new StdioServerTransport(of.stdin))
    await Promise.race(ends)
    await server.close()
  } finally {
    desk[Symbol.dispose]()
  }
}
