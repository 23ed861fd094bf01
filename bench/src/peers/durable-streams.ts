// The Node reference server of Durable Streams with one stream, on files. Arguments: the path of the package's main
// module, and an empty directory. The package is not a dependency of ours (see install-peer.ts).

import { Console } from 'node:console'

interface DurableStreamsServer {
  start(): Promise<string>
  stop(): Promise<void>
}

interface DurableStreamsModule {
  DurableStreamTestServer: new (options: {
    port: number
    dataDir: string
    compression: boolean
  }) => DurableStreamsServer
}

const [modulePath, dataDir] = process.argv.slice(2)
if (modulePath === undefined || dataDir === undefined) throw new Error('usage: durable-streams.ts <module> <directory>')
// It logs to the console, and our standard output is for the lines that the bench reads.
globalThis.console = new Console(process.stderr, process.stderr)
const { DurableStreamTestServer } = (await import(modulePath)) as DurableStreamsModule
const server = new DurableStreamTestServer({ port: 0, dataDir, compression: false })
const url = await server.start()
const created = await fetch(`${url}/bench`, { method: 'PUT', headers: { 'content-type': 'application/json' } })
if (!created.ok) throw new Error(`the stream was not created: ${created.status}`)
process.stdout.write(`${JSON.stringify({ port: Number(new URL(url).port) })}\n`)
process.stdin.resume().once('end', () => {
  void server.stop()
})
