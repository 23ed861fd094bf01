import { type ChildProcess, spawn } from 'node:child_process'
import { chmodSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { fail } from '../failure.ts'

/** How long the server may take to open its log and its port. */
const readyTimeoutMs = 30_000
/** How long a process may take to end by itself after it was asked to; then it is ended. */
const endTimeoutMs = 10_000
/** A process that ends unexpectedly is started again after this, longer each time. */
const restartWaitsMs = [0, 200, 500, 1_000, 2_000, 5_000] as const

/** Variables that our own processes need from the shell; settings of ours go along, anything else does not. */
const passedOn = [
  'PATH',
  'HOME',
  'USER',
  'LOGNAME',
  'SHELL',
  'LANG',
  'LC_ALL',
  'TERM',
  'TZ',
  'TMPDIR',
  'SystemRoot',
  'USERPROFILE',
  'APPDATA',
  'LOCALAPPDATA',
]

interface Ready {
  url: string
  bootstrap?: string
  notices?: string[]
}

/** Starts the server, and the runner as a process of its own, and keeps both until Ctrl-C. */
export async function up(dataDir: string, env: NodeJS.ProcessEnv, say: (line: string) => void): Promise<void> {
  mkdirSync(dataDir, { recursive: true, mode: 0o700 })
  chmodSync(dataDir, 0o700)
  const own = Object.fromEntries(
    Object.entries(env).filter(
      ([name]) => passedOn.includes(name) || (name.startsWith('HOTLINE_') && name !== 'HOTLINE_TOKEN'),
    ),
  )
  const stopping = new AbortController()
  const children = new Map<string, ChildProcess>()

  // The runner builds the environment of each agent from nothing; what agents may need (a provider's key, a proxy) is its
  // to choose from. The server gets what it needs itself.
  const { HOTLINE_TOKEN: _, ...all } = env
  const start = (name: string, main: string, more: Record<string, string>): ChildProcess => {
    const child = spawn(process.execPath, [fileURLToPath(import.meta.resolve(main))], {
      env: { ...(name === 'runner' ? all : own), ...more, HOTLINE_DATA_DIR: dataDir },
      stdio: ['ignore', 'pipe', 'inherit'],
      // A group of its own: Ctrl-C reaches us alone, and we end them in order.
      detached: true,
    })
    children.set(name, child)
    return child
  }
  /** Starts it again and again until we stop; answers once it is ready for the first time. */
  const keep = (name: string, main: string, more: () => Record<string, string>): Promise<Ready> =>
    new Promise((resolve, reject) => {
      let ready = false
      let tries = 0
      const run = (): void => {
        const startedAt = Date.now()
        const child = start(name, main, more())
        const timer = setTimeout(
          () => reject(fail('unreachable', `The ${name} was not ready after ${readyTimeoutMs / 1_000} s.`)),
          readyTimeoutMs,
        )
        if (child.stdout) {
          createInterface({ input: child.stdout }).on('line', (line) => {
            const said = readReady(line)
            if (!said) return
            clearTimeout(timer)
            ready = true
            resolve(said)
          })
        }
        child.on('error', reject)
        child.on('exit', (code, signal) => {
          clearTimeout(timer)
          children.delete(name)
          if (stopping.signal.aborted) return
          if (!ready) return reject(fail('unreachable', `The ${name} could not start (see above).`))
          if (Date.now() - startedAt > 60_000) tries = 0
          const waitMs = restartWaitsMs[Math.min(tries, restartWaitsMs.length - 1)] ?? 0
          tries += 1
          say(`The ${name} ended (${signal ?? `exit code ${code}`}); starting it again. Nothing is lost.`)
          setTimeout(() => !stopping.signal.aborted && run(), waitMs)
        })
      }
      run()
    })

  const stopped = new Promise<void>((resolve) => {
    const stop = (): void => {
      if (stopping.signal.aborted) return
      stopping.abort()
      say('Ending agents, runner and server …')
      // The runner first, so that what it has to say about its agents still reaches the log.
      endChild(children.get('runner'))
        .then(() => endChild(children.get('server')))
        .then(resolve, resolve)
    }
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, stop)
  })

  try {
    let port: string | undefined
    const server = await keep('server', '@hotline/server/main', () =>
      port === undefined ? {} : { HOTLINE_PORT: port },
    )
    // After a crash it comes back at the same port, where pages and runners look for it.
    port = new URL(server.url).port
    writeFileSync(join(dataDir, 'url'), `${server.url}\n`, { mode: 0o600 })
    const runner = keep('runner', '@hotline/runner/main', () => ({
      HOTLINE_URL: server.url,
      HOTLINE_RUNNER_KEY_FILE: join(dataDir, 'runner-key'),
    }))
    for (const notice of server.notices ?? []) say(notice)
    await runner
    say(
      server.bootstrap
        ? `Open this link to begin (it works once, for 30 minutes):\n\n  ${server.bootstrap}\n`
        : `Hotline is at ${server.url}`,
    )
    say('Ctrl-C ends everything.')
  } catch (error) {
    stopping.abort()
    await endChild(children.get('runner'))
    await endChild(children.get('server'))
    throw error
  }
  await stopped
}

function readReady(line: string): Ready | undefined {
  try {
    const said = JSON.parse(line) as { ready?: unknown }
    return said.ready === true ? (said as unknown as Ready) : undefined
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
