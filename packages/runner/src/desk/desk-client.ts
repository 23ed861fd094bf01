import { readFileSync } from 'node:fs'
import { createConnection, type Socket } from 'node:net'
import { parseObject } from '../adapters/wire/json.ts'
import { LineSplitter } from '../adapters/wire/line-splitter.ts'
import { deskLineBytes, type DeskMethod, type deskMethods, DeskPlace, DeskReply } from './desk-protocol.ts'
import type { z } from 'zod'

const depthMax = 64

/** A program's end of a desk. */
export interface DeskClient extends Disposable {
  /** Waits for the answer, however long it takes. Rejects with a sentence, and where `signal` gives it up. */
  ask<M extends DeskMethod>(method: M, params: z.input<(typeof deskMethods)[M]>, signal?: AbortSignal): Promise<unknown>
}

/** Goes to the desk that the file names; opens the line at the first question, and anew where it has gone. `find`: the file. */
export function openDeskClient(find: () => Promise<string>): DeskClient {
  let line: Promise<Line> | undefined
  return {
    ask: async (method, params, signal) => {
      signal?.throwIfAborted()
      line ??= find().then((file) =>
        connect(file, () => {
          line = undefined
        }),
      )
      line.catch(() => {
        line = undefined
      })
      const open = await line
      return open.ask(method, params, signal)
    },
    [Symbol.dispose]: () => {
      void line?.then(
        (open) => open.end(),
        () => undefined,
      )
    },
  }
}

interface Line {
  ask(method: string, params: unknown, signal: AbortSignal | undefined): Promise<unknown>
  end(): void
}

async function connect(file: string, gone: () => void): Promise<Line> {
  try {
    const { socket: path, token } = readPlace(file)
    const socket = await opened(path)
    socket.write(`${JSON.stringify({ token })}\n`)
    return lineOver(socket, gone)
  } catch (cause) {
    gone()
    const why = cause instanceof Error ? cause.message : String(cause)
    throw new Error(`The session cannot be reached: it is over, or its machine has gone. (${why})`, { cause })
  }
}

function readPlace(file: string): DeskPlace {
  const place = DeskPlace.safeParse(JSON.parse(readFileSync(file, 'utf8')))
  if (!place.success) throw new Error(`"${file}" does not say where the session is`)
  return place.data
}

function opened(path: string): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = createConnection(path)
    socket.once('error', reject)
    socket.once('connect', () => {
      socket.off('error', reject)
      socket.on('error', () => undefined)
      resolve(socket)
    })
  })
}

function lineOver(socket: Socket, gone: () => void): Line {
  const waiting = new Map<number, { resolve: (result: unknown) => void; reject: (error: Error) => void }>()
  const splitter = new LineSplitter(deskLineBytes)
  let lastId = 0
  socket.on('data', (bytes: Buffer) => {
    for (const part of splitter.feed(bytes)) {
      const reply = DeskReply.safeParse('text' in part ? parseObject(part.text, depthMax) : undefined)
      if (!reply.success) continue
      const { id, result, error } = reply.data
      const waits = waiting.get(id)
      waiting.delete(id)
      if (error === undefined) waits?.resolve(result)
      else waits?.reject(new Error(error))
    }
  })
  socket.on('close', () => {
    gone()
    for (const { reject } of waiting.values()) reject(new Error('The session has ended; no answer will come.'))
    waiting.clear()
  })
  return {
    ask: (method, params, signal) =>
      new Promise((resolve, reject) => {
        lastId += 1
        const id = lastId
        const giveUp = (): void => {
          if (!waiting.delete(id)) return
          if (socket.writable) socket.write(`${JSON.stringify({ cancel: id })}\n`)
          reject(new Error('Given up.'))
        }
        const settled = <T>(settle: (value: T) => void) => {
          return (value: T): void => {
            signal?.removeEventListener('abort', giveUp)
            settle(value)
          }
        }
        waiting.set(id, { resolve: settled(resolve), reject: settled(reject) })
        signal?.addEventListener('abort', giveUp, { once: true })
        if (socket.writable) socket.write(`${JSON.stringify({ id, method, params })}\n`)
        else {
          waiting.delete(id)
          reject(new Error('The session has ended; no answer will come.'))
        }
      }),
    end: () => socket.end(),
  }
}
