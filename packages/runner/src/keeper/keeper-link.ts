import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, mkdirSync, openSync, readFileSync, rmSync } from 'node:fs'
import { connect, type Socket } from 'node:net'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import type { HolderReach } from '../process/local-holder.ts'
import { send } from '../process/process-tree.ts'
import { hearLines, type KeeperAnswer, type KeeperRequest, type KeptFacts, type ProcessState } from './frames.ts'
import { keeperPidFile, withSocketPath } from './places.ts'

/** A keeper that does not listen after this has not started. */
const startTimeoutMs = 15_000

/** Between two tries to reach one that is starting. */
const retryMs = 20

/** A keeper that says nothing for so long after it was reached hangs, and its person is told what to do. */
const helloTimeoutMs = 10_000

/** One that has not answered for so long may have been stopped, and is told to go on; it cannot have any use for that. */
const wakeAfterMs = 1_000

/** A process that has nothing to do any more and is there after this is killed, and after this again given up. */
const goneTimeoutMs = 2_000

/** What one that could not start said last. */
const lastWordsChars = 500

/** There is a keeper, and it does not answer. What it holds may still be at work. */
export class KeeperSilent extends Error {
  override readonly name = 'KeeperSilent'
}

/** How patient one is with a keeper. */
export interface Patience {
  /** Before it counts as silent. */
  helloTimeoutMs?: number
  wakeAfterMs?: number
}

/** A connection to a keeper. */
export interface KeeperLink {
  readonly version: number
  readonly pid: number
  /** As it was when the connection was made. */
  readonly processes: readonly KeptFacts[]
  /** Resolves when the keeper cannot be heard any more. */
  readonly closed: Promise<void>
  readonly isClosed: boolean
  /** Rejects with what the keeper says, or because it is gone. */
  request(request: KeeperRequest): Promise<unknown>
  /** Hears each change of a process, and the last one that nobody has heard. */
  watch(p: string, hear: (state: ProcessState) => void): void
  close(): void
}

/**
 * Connects to the keeper of a folder; undefined where none listens there. One that is stopped (SIGSTOP) is told to go on.
 * Throws `KeeperSilent` where one is there and says nothing all the same.
 */
export async function connectKeeper(folder: string, patience: Patience = {}): Promise<KeeperLink | undefined> {
  const socket = await withSocketPath(folder, async (path) => {
    const trying = connect(path)
    try {
      await once(trying, 'connect')
      return trying
    } catch {
      return undefined
    }
  })
  return socket && (await shakeHands(socket, folder, patience))
}

/** Starts a keeper for a folder, and connects to it. Rejects where it does not come up. */
export async function startKeeper(
  folder: string,
  env: Readonly<Record<string, string>>,
  reach: HolderReach,
): Promise<KeeperLink> {
  mkdirSync(folder, { recursive: true, mode: 0o700 })
  const main = fileURLToPath(import.meta.resolve('./main.ts'))
  // Not ours either: whoever reads us to our end would wait for its end.
  const wordsFile = join(folder, 'words')
  const words = openSync(wordsFile, 'a', 0o600)
  const child = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', main, folder, reach], {
    // Nothing of ours: it does not end with us, nor hold what we hold.
    cwd: folder,
    env,
    detached: true,
    stdio: ['ignore', 'ignore', words],
  })
  closeSync(words)
  child.unref()
  let ended: string | undefined
  child.once('error', (error) => (ended = error.message))
  child.once('exit', (code, signal) => (ended = `it ended (${signal ?? `exit code ${code}`})`))
  const giveUpAt = performance.now() + startTimeoutMs
  for (;;) {
    const link = await connectKeeper(folder).catch((error: unknown) => {
      child.kill('SIGKILL')
      throw error
    })
    if (link) return link
    if (ended !== undefined) {
      const last = readFileSync(wordsFile, 'utf8').trim().slice(-lastWordsChars)
      rmSync(folder, { recursive: true, force: true })
      throw new Error(`The keeper could not be started: ${ended}. ${last}`.trim())
    }
    if (performance.now() > giveUpAt) {
      child.kill('SIGKILL')
      throw new Error('The keeper did not listen in time.')
    }
    await pause(retryMs)
  }
}

/** Kills one that does not answer, where it is known which process that is. */
export function killSilentKeeper(folder: string): void {
  const pid = pidOfKeeper(folder)
  if (pid !== undefined) send(pid, 'SIGKILL')
}

/** Ends a keeper with all that it keeps. Resolves when its process is gone; one that does not go is killed. */
export async function endKeeper(link: KeeperLink): Promise<void> {
  const { pid } = link
  await link.request({ do: 'quit' }).catch(() => 'it is gone')
  await link.closed
  const killAt = performance.now() + goneTimeoutMs
  for (let isThere = true; isThere; await pause(retryMs)) {
    isThere = send(pid, performance.now() > killAt ? 'SIGKILL' : 0)
    if (performance.now() > killAt + goneTimeoutMs) return
  }
}

/** Undefined for one of an earlier version, which did not write it down. To be asked while it listens, or has just done so. */
function pidOfKeeper(folder: string): number | undefined {
  try {
    return Number(readFileSync(keeperPidFile(folder), 'utf8')) || undefined
  } catch {
    return undefined
  }
}

function silenceOf(folder: string, timeoutMs: number): KeeperSilent {
  const pid = pidOfKeeper(folder)
  const who = pid === undefined ? `in ${folder}` : `process ${pid}`
  const end = pid === undefined ? 'end that process' : `\`kill -9 ${pid}\``
  return new KeeperSilent(
    `The keeper of the agents (${who}) has not answered for ${timeoutMs / 1_000} seconds; they may still be at work. ` +
      `See what holds it up (a debugger, a disk that hangs) and start again, or end it together with its agents: ${end}.`,
  )
}

async function shakeHands(
  socket: Socket,
  folder: string,
  { helloTimeoutMs: timeoutMs = helloTimeoutMs, wakeAfterMs: wakeMs = wakeAfterMs }: Patience,
): Promise<KeeperLink | undefined> {
  const waiting = new Map<number, { resolve: (value: unknown) => void; reject: (error: Error) => void }>()
  const watchers = new Map<string, (state: ProcessState) => void>()
  /** Of processes that nobody watches yet: one may be at its end when its start is answered. */
  const unheard = new Map<string, ProcessState>()
  const hello = Promise.withResolvers<Extract<KeeperAnswer, { hello: number }> | undefined>()
  const closed = Promise.withResolvers<void>()
  let isClosed = false
  let lastId = 0
  let hasGreeted = false
  let isSilent = false
  /** What it owed an answer to at the last look: its greeting (0), or the oldest request. */
  let owed: number | undefined
  const waking = setInterval(() => {
    const [owes] = hasGreeted ? waiting.keys() : [0]
    const pid = owes !== undefined && owes === owed ? pidOfKeeper(folder) : undefined
    // To one that runs this means nothing.
    if (pid !== undefined) send(pid, 'SIGCONT')
    owed = owes
  }, wakeMs)
  waking.unref()
  socket.on('error', () => undefined)
  socket.once('close', () => {
    clearInterval(waking)
    isClosed = true
    hello.resolve(undefined)
    for (const { reject } of waiting.values()) reject(new Error('The keeper is gone.'))
    waiting.clear()
    closed.resolve()
  })
  hearLines(socket, (message) => {
    const answer = message as KeeperAnswer
    if ('hello' in answer) hello.resolve(answer)
    else if ('state' in answer) {
      const hear = watchers.get(answer.state.p)
      if (hear) hear(answer.state)
      else unheard.set(answer.state.p, answer.state)
    } else {
      const asked = waiting.get(answer.id)
      waiting.delete(answer.id)
      if (answer.ok) asked?.resolve(answer.value)
      else asked?.reject(new Error(answer.error))
    }
  })
  const late = setTimeout(() => {
    isSilent = true
    socket.destroy()
  }, timeoutMs)
  const heard = await hello.promise
  clearTimeout(late)
  hasGreeted = true
  if (isSilent) throw silenceOf(folder, timeoutMs)
  if (!heard) return undefined
  return {
    version: heard.hello,
    pid: heard.pid,
    processes: heard.processes,
    closed: closed.promise,
    get isClosed() {
      return isClosed
    },
    request: (request) =>
      new Promise((resolve, reject) => {
        if (isClosed) return reject(new Error('The keeper is gone.'))
        lastId += 1
        waiting.set(lastId, { resolve, reject })
        socket.write(`${JSON.stringify({ id: lastId, ...request })}\n`)
      }),
    watch: (p, hear) => {
      watchers.set(p, hear)
      const state = unheard.get(p)
      unheard.delete(p)
      if (state) hear(state)
    },
    close: () => void socket.end(),
  }
}
