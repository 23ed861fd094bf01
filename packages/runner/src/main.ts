import { randomUUID } from 'node:crypto'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { longestWaitMs } from '@hotline/client/backoff'
import type { Link } from '@hotline/client/link'
import { openLink } from '@hotline/client/open-link'
import { type Config, readConfig } from './config.ts'
import { type Log, openLog } from './log.ts'
import { secretsAmong } from './profiles/variables.ts'
import { Redactor } from './redact.ts'
import { z } from 'zod'
import { composeRunner, runnerVersion, takeFolder } from './runner.ts'

/** Exit codes as in the error table: settings that make no sense, and everything that should not happen. */
const exitInvalid = 2
const exitInternal = 1
/** Whoever does not answer a request in this time is away, for whatever reason. */
const probeTimeoutMs = 5_000

/**
 * What whoever started this process says later: variables that a profile has come to name. It holds the whole environment
 * of its person; here is only what an agent may be given.
 */
const News = z.object({ environment: z.record(z.string(), z.string()) })

async function main(config: Config): Promise<void> {
  const lock = takeFolder(config.dataDir)
  try {
    await work(config)
  } finally {
    lock[Symbol.dispose]()
  }
}

async function work(config: Config): Promise<void> {
  const { url, token } = config
  // What went wrong may be told in an agent's words.
  const masked = (line: string): string => {
    const secrets = secretsAmong(Object.entries(config.environment))
    return new Redactor([...secrets, { name: 'key of this runner', value: token }]).text(line)
  }
  const log = openLog((line) => process.stderr.write(masked(line)), config.debug)
  const link = openLink({
    url,
    credential: { kind: 'token', token },
    client: `runner/${runnerVersion}`,
    instance: randomUUID(),
    // What its agents print and say it has said itself.
    without: 'output',
    // What its agents do meanwhile, nobody sees before it is back.
    longestWaitMs: longestWaitMs(url),
    // Not server-sent events: on those the server would notice late that a machine is gone.
    transports: ['websocket', 'poll'],
  })
  try {
    await run(config, link, log)
  } finally {
    await link[Symbol.asyncDispose]()
  }
}

async function run(config: Config, link: Link, log: Log): Promise<void> {
  const { url } = config
  const supervisor = composeRunner(config, link, log)
  const stopped = Promise.withResolvers<string>()
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => stopped.resolve(signal))
  // Started with a channel, it ends with whoever started it, however that one went.
  process.once('disconnect', () => stopped.resolve('whoever started it is gone'))
  process.on('message', (message) => {
    const news = News.safeParse(message)
    if (news.success) Object.assign(config.environment, news.data.environment)
  })
  process.channel?.unref()
  link.connection.watch((state) => {
    log.debug('link', 'connection', { status: state.status })
    if (state.status === 'waiting' && state.attempt === 1) {
      const { code, detail } = state.problem
      if (code === 'already_exists') return log.warn('another runner works with this key', { url, detail })
      void whyAway(url).then((why) => log.warn('server away', { url, detail, ...(why === undefined ? {} : { why }) }))
    }
    if (state.status === 'closed' && state.problem) stopped.resolve(state.problem.detail)
  })
  await supervisor.start()
  void supervisor.announced.then((runner) => {
    noteId(config, runner, log)
    process.stdout.write(`${JSON.stringify({ ready: true, runner })}\n`)
  })
  log.info('stopping', { why: await stopped.promise })
  await supervisor.stop(AbortSignal.timeout(config.stopDeadlineMs))
}

/** The command line on this machine reads there what "here" is called. */
function noteId({ dataDir }: Config, runner: string, log: Log): void {
  try {
    writeFileSync(join(dataDir, 'runner', 'id'), `${runner}\n`, { mode: 0o600 })
  } catch (error) {
    log.warn('the id of this runner could not be kept', { why: String(error) })
  }
}

/** A WebSocket does not tell why it fails; a request does: nobody listens there, or the certificate is not trusted. */
async function whyAway(url: string): Promise<string | undefined> {
  try {
    await fetch(new URL('/healthz', url), { signal: AbortSignal.timeout(probeTimeoutMs) })
    return undefined
  } catch (error) {
    const cause: unknown = error instanceof Error ? (error.cause ?? error) : error
    return cause instanceof Error && 'code' in cause ? String(cause.code) : String(cause)
  }
}

function tell(error: unknown): void {
  process.stderr.write(`hotline-runner: ${error instanceof Error ? error.message : String(error)}\n`)
}

let config: Config | undefined
try {
  config = readConfig(process.env)
} catch (error) {
  tell(error)
  process.exitCode = exitInvalid
}
if (config) {
  try {
    await main(config)
  } catch (error) {
    tell(error)
    process.exitCode = exitInternal
  }
}
