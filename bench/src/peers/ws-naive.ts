import { createServer } from 'node:http'
import { type WebSocket, WebSocketServer } from 'ws'
import { firstSeq, type PublishedEvent, serveUntilInputEnds } from './announce.ts'

// What one writes first: for each client stringify and send. No log, no bound.

const server = createServer()
const sockets = new WebSocketServer({ server, perMessageDeflate: false })
const followers = new Set<WebSocket>()
let seq = firstSeq

sockets.on('connection', (socket, request) => {
  socket.on('error', () => socket.terminate())
  if (request.url === '/pub') {
    socket.on('message', (data: Buffer) => {
      const event = JSON.parse(data.toString()) as PublishedEvent
      event.seq = seq++
      for (const follower of followers) follower.send(JSON.stringify(event))
    })
    return
  }
  followers.add(socket)
  socket.on('close', () => followers.delete(socket))
})

serveUntilInputEnds(server, () => {
  for (const socket of sockets.clients) socket.terminate()
})
