import { createServer } from 'node:http'
import type { Duplex } from 'node:stream'
import { WebSocketServer } from 'ws'
import { firstSeq, type PublishedEvent, serveUntilInputEnds } from './announce.ts'
import { textFrame } from './ws-frame.ts'

// The best that bare `ws` can do: each event is stringified and framed once, the frames of one turn of the event loop
// are concatenated once, and every socket gets one write. No log, no bound. `--replay N` keeps the last N events as one
// buffer that every newcomer is sent first.

const replayAt = process.argv.indexOf('--replay')
const replayCount = replayAt === -1 ? 0 : Number(process.argv[replayAt + 1])

const server = createServer()
const sockets = new WebSocketServer({ noServer: true, perMessageDeflate: false })
const followers = new Set<Duplex>()
let seq = firstSeq
let turn: Buffer[] = []
let recent: Buffer[] = []
let replay: Buffer | undefined

function flush(): void {
  const bytes = Buffer.concat(turn)
  if (replayCount > 0) {
    recent = [...recent, ...turn].slice(-replayCount)
    replay = undefined
  }
  turn = []
  for (const follower of followers) follower.write(bytes)
}

function publish(data: Buffer): void {
  const event = JSON.parse(data.toString()) as PublishedEvent
  event.seq = seq++
  if (turn.length === 0) setImmediate(flush)
  turn.push(textFrame(Buffer.from(JSON.stringify(event))))
}

server.on('upgrade', (request, socket, head) => {
  sockets.handleUpgrade(request, socket, head, (webSocket) => {
    webSocket.on('error', () => webSocket.terminate())
    if (request.url === '/pub') {
      webSocket.on('message', publish)
      return
    }
    if (recent.length > 0) {
      replay ??= Buffer.concat(recent)
      socket.write(replay)
    }
    followers.add(socket)
    webSocket.on('close', () => followers.delete(socket))
  })
})

serveUntilInputEnds(server, () => {
  for (const socket of sockets.clients) socket.terminate()
})
