import { type ChildProcess, spawn } from 'node:child_process'
import { createInterface } from 'node:readline'
import { fail } from './failure.ts'

/** How long a process may take until it says that it is ready; then it counts as one that cannot start. */
const usualReadyTimeoutMs = 30_000
/** How long a process may take to end by itself after it was asked to; then it is killed. */
const endTimeoutMs = 10_000
/** A process that ends unexpectedly is started again after this: at once the first time, then longer each time. */
const restartWaitsMs = [0, 200, 500, 1_000, 2_000, 5_000] as const
/** One that ran for so long before it ended is started again quickly. */
const steadyMs = 60_000

/** What is to be kept running. */
export interface ProcessPlan {
  /** In messages. */
  name: string
  /** The program, as Node runs it. */
  main: string
  /** All that it gets of the environment; asked for at each start. */
  env: () => Readonly<Record<string, string>>
  say: (line: string) => void
  /** What its sudden end means for people, in a sentence. */
  meaning: string
  /** Told each time it is ready after it was started again. */
  readyAgain?: (facts: Ready) => void
  /** How long it may take; absent: what a process of this machine needs. */
  readyTimeoutMs?: number | undefined
}

/** What a process says once it is ready: one line of JSON on standard output with `ready: true`, and facts beside. */
export interface Ready {
  [fact: string]: unknown
}

/** A process that is started again whenever it dies. */
export interface KeptProcess {
  /** The first time it was ready. Rejects with a `Failure` where it cannot start at all. */
  readonly ready: Promise<Ready>
  /** Tells it something, where it runs; the next one is started with what holds then. */
  tell(message: Readonly<Record<string, unknown>>): void
  /** Asks it to end, and kills it where it does not. Nothing is started again from now on. */
  end(): Promise<void>
  /** Kills it without asking. */
  kill(): void
}

/** Starts a process and starts it again whenever it ends, until `end`. */
export function keepProcess(plan: ProcessPlan): KeptProcess {
  const { name, say, readyTimeoutMs = usualReadyTimeoutMs } = plan
  const ready = Promise.withResolvers<Ready>()
  // Whoever waits for it hears of it; this keeps it from being reported a second time.
  ready.promise.catch(() => 'handled where it is awaited')
  let child: ChildProcess | undefined
  let wasReady = false
  let ending = false
  let tries = 0
  let restart: ReturnType<typeof setTimeout> | undefined

  function start(): void {
    const startedAt = performance.now()
    // The oldest Node that we run on calls experimental what we use on purpose.
    const started = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', plan.main], {
      env: plan.env(),
      // That the channel closes is how the process hears that we are gone, however we went.
      stdio: ['ignore', 'pipe', 'inherit', 'ipc'],
      // A group of its own: Ctrl-C reaches us alone, and we end everything in order.
      detached: true,
    })
    child = started
    const giveUp = (): void => {
      say(`The ${name} was not ready after ${readyTimeoutMs / 1_000} s.`)
      started.kill('SIGKILL')
    }
    const timer = Number.isFinite(readyTimeoutMs) ? setTimeout(giveUp, readyTimeoutMs) : undefined
    if (started.stdout)
      createInterface({ input: started.stdout }).on('line', (line) => {
        const said = readReady(line)
        if (!said) return
        clearTimeout(timer)
        if (wasReady) plan.readyAgain?.(said)
        wasReady = true
        ready.resolve(said)
      })
    started.on('error', (error) => ready.reject(fail('unreachable', `The ${name} cannot be started: ${error.message}`)))
    started.on('exit', (code, signal) => {
      clearTimeout(timer)
      child = undefined
      if (ending) return ready.reject(fail('draining', `The ${name} was ended before it was ready.`))
      if (!wasReady) return ready.reject(fail('unreachable', `The ${name} could not start (see above).`))
      if (performance.now() - startedAt > steadyMs) tries = 0
      const waitMs = restartWaitsMs[Math.min(tries, restartWaitsMs.length - 1)]
      tries += 1
      say(`The ${name} ended (${signal ?? `exit code ${code}`}); starting it again. ${plan.meaning}`)
      restart = setTimeout(start, waitMs)
    })
  }

  start()
  return {
    ready: ready.promise,
    tell: (message) => {
      // One that is just ending does not hear it, and need not.
      if (child?.connected) child.send(message, () => undefined)
    },
    end: async () => {
      ending = true
      clearTimeout(restart)
      await endChild(child)
    },
    kill: () => {
      ending = true
      clearTimeout(restart)
      child?.kill('SIGKILL')
    },
  }
}

function readReady(line: string): Ready | undefined {
  try {
    const said = JSON.parse(line) as Ready | null
    return said?.['ready'] === true ? said : undefined
  } catch {
    // Not every line is for us.
    return undefined
  }
}

function endChild(child: ChildProcess | undefined): Promise<void> {
  if (!child || child.exitCode !== null || child.signalCode !== null) return Promise.resolve()
  return new Promise((resolve) => {
    const timer = setTimeout(() => child.kill('SIGKILL'), endTimeoutMs)
    child.once('exit', () => {
      clearTimeout(timer)
      resolve()
    })
    child.kill('SIGTERM')
  })
}
