import { createServer } from 'node:http'
import { Server } from 'socket.io'
import { firstSeq, type PublishedEvent, serveUntilInputEnds } from './announce.ts'

// Socket.IO 4 with connection state recovery: what comes closest to "nobody misses anything" without a log on disk.

const server = createServer()
const io = new Server(server, {
  transports: ['websocket'],
  perMessageDeflate: false,
  connectionStateRecovery: { maxDisconnectionDuration: 120_000 },
})
let seq = firstSeq

io.on('connection', (socket) => {
  if (socket.handshake.query['role'] !== 'pub') {
    void socket.join('session')
    return
  }
  socket.on('publish', (event: PublishedEvent) => {
    event.seq = seq++
    io.to('session').emit('event', event)
  })
})

serveUntilInputEnds(server, () => {
  void io.close()
})
