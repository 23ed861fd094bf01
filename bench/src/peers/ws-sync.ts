import { closeSync, fdatasyncSync, openSync, writeSync } from 'node:fs'
import { createServer } from 'node:http'
import { join } from 'node:path'
import { type WebSocket, WebSocketServer } from 'ws'
import { serveUntilInputEnds } from './announce.ts'

// The least that a durable question and answer can be: what one side says is written into a file whose blocks exist,
// synced, and passed on to the other side. Argument: an empty directory.

const blockBytes = 4096
const blocks = 256

const file = openSync(join(process.argv[2] ?? '.', 'said'), 'w')
writeSync(file, Buffer.alloc(blockBytes * blocks))
fdatasyncSync(file)
let said = 0

const server = createServer()
const sockets = new WebSocketServer({ server, perMessageDeflate: false })
sockets.on('connection', (socket: WebSocket) => {
  socket.on('error', () => socket.terminate())
  socket.on('message', (data: Buffer) => {
    writeSync(file, data, 0, data.length, (said++ % blocks) * blockBytes)
    fdatasyncSync(file)
    for (const other of sockets.clients) if (other !== socket) other.send(data, { binary: false })
  })
})

serveUntilInputEnds(server, () => {
  for (const socket of sockets.clients) socket.terminate()
  closeSync(file)
})
