import { existsSync, statfsSync, statSync } from 'node:fs'
import { isIP } from 'node:net'
import { join } from 'node:path'
import { connect } from 'node:tls'
import { httpRequest } from '@hotline/client/http-request'
import type { AgentRow } from '@hotline/protocol/http'
import type { DatabasePlace } from '@hotline/server/log/open-database'
import { openToProve } from '@hotline/server/log/open-to-prove'
import { type Proof, proveLog } from '@hotline/server/ops/prove-log'
import type { Command } from 'commander'
import { inLine } from '../approval-card.ts'
import type { Settings } from '../settings.ts'
import type { CommandContext } from './context.ts'

/** One thing that was looked at. */
export interface Finding {
  ok: boolean
  /** What was found, and what to do about it. */
  what: string
}

const dayMs = 24 * 60 * 60 * 1_000
/** A certificate is renewed before; one that has less left was forgotten. */
const certificateMinDays = 14
/** More than a slow answer explains. */
const clockMaxSeconds = 30
const timeoutMs = 5_000

/** Below this an afternoon of talkative agents may fill the disk. */
const enoughRoomMiB = 512

/** Checks this machine, the data directory and the server. */
export function addDoctorCommand(program: Command, context: CommandContext): void {
  program
    .command('doctor')
    .description('check this machine, the data directory and the server')
    .action(async () => {
      const findings = await examine(context.settings())
      context.print(findings, findings.map(({ ok, what }) => `${ok ? 'ok  ' : 'FAIL'} ${inLine(what)}\n`).join(''))
      if (findings.some(({ ok }) => !ok)) context.exit(1)
    })
}

/** Looks at what usually is the matter. */
async function examine(settings: Settings): Promise<readonly Finding[]> {
  const { url, token } = settings
  const findings: Finding[] = [
    { ok: true, what: `Node ${process.versions.node}` },
    ...examineFiles(settings),
    ...(await examineLog(settings)),
  ]
  const credential = { kind: 'token', token: token ?? '' } as const
  const health = await httpRequest(url, credential, 'GET', '/readyz')
  if (!health.ok) {
    const advice = health.problem.code === 'unreachable' ? ' Start it with "hotline up", or set HOTLINE_URL.' : ''
    return [...findings, { ok: false, what: `the server at ${url}: ${health.problem.detail}${advice}` }]
  }
  findings.push({ ok: true, what: `the server at ${url} is ready` }, ...(await examineMeeting(url)))
  if (token === undefined) {
    const what = 'no credential: run "hotline sign-in", or set HOTLINE_TOKEN'
    return [...findings, { ok: false, what }]
  }
  const me = await httpRequest<{ name: string }>(url, credential, 'GET', '/api/me')
  findings.push({ ok: me.ok, what: me.ok ? `signed in as ${me.value.name}` : `the credential: ${me.problem.detail}` })
  if (!me.ok) return findings
  const agents = await httpRequest<{ agents: AgentRow[] }>(url, credential, 'GET', '/api/agents')
  const rows = agents.ok ? agents.value.agents : []
  if (rows.length === 0) findings.push({ ok: false, what: 'no machine that runs agents is connected' })
  for (const { agent, available, hint, runner, state } of rows) {
    const what =
      available && state !== 'signed_out'
        ? `${agent} can be started on ${runner}`
        : `${agent} on ${runner}: ${hint ?? 'not available'}`
    // What somebody has not installed is no fault; a profile that is wrong is one.
    findings.push({ ok: state !== 'broken', what })
  }
  return findings
}

/** What two machines have to agree upon: the time, and a certificate that does not end soon. */
async function examineMeeting(url: string): Promise<Finding[]> {
  const findings: Finding[] = []
  const answer = await fetch(new URL('/healthz', url), { signal: AbortSignal.timeout(timeoutMs) }).catch(
    () => undefined,
  )
  const there = Date.parse(answer?.headers.get('date') ?? '')
  const apartSeconds = Math.round(Math.abs(Date.now() - there) / 1_000)
  if (apartSeconds > clockMaxSeconds) {
    const what = `the clocks here and at the server are ${apartSeconds} s apart; deadlines are counted by the server's`
    findings.push({ ok: false, what })
  } else if (!Number.isNaN(there)) findings.push({ ok: true, what: 'the clocks here and at the server agree' })
  if (new URL(url).protocol !== 'https:') return findings
  const ends = await certificateEnd(new URL(url))
  if (ends === undefined) return findings
  const days = Math.floor((ends.getTime() - Date.now()) / dayMs)
  const what = `the certificate of the server ends in ${days} days`
  return [...findings, { ok: days >= certificateMinDays, what }]
}

function certificateEnd({ hostname, port }: URL): Promise<Date | undefined> {
  return new Promise((resolve) => {
    const name = hostname.replace(/^\[|\]$/g, '')
    const servername = isIP(name) === 0 ? { servername: name } : {}
    const socket = connect({ host: name, port: Number(port || 443), ...servername, timeout: timeoutMs }, () => {
      resolve(new Date(socket.getPeerCertificate().valid_to))
      socket.destroy()
    })
    // Whether it can be reached at all was asked before.
    const giveUp = (): void => {
      resolve(undefined)
      socket.destroy()
    }
    socket.once('error', giveUp)
    socket.once('timeout', giveUp)
  })
}

/** The data directory and the secrets in it are their owner's alone. */
function examineFiles({ dataDir, configDir }: Settings): Finding[] {
  // Windows has no owner and mode that would mean the same.
  if (process.platform === 'win32') return []
  const findings: Finding[] = []
  const examineMode = (path: string, mode: string, missing: Finding | undefined): void => {
    const stat = statSync(path, { throwIfNoEntry: false })
    if (!stat) {
      if (missing) findings.push(missing)
    } else if ((stat.mode & 0o077) === 0) findings.push({ ok: true, what: `${path} is yours alone` })
    else findings.push({ ok: false, what: `others can read ${path}: chmod ${mode} ${path}` })
  }
  const found = statSync(dataDir, { throwIfNoEntry: false })
  if (found && !found.isDirectory()) return [{ ok: false, what: `${dataDir} is no directory: set HOTLINE_DATA_DIR` }]
  examineMode(dataDir, '700', { ok: true, what: `${dataDir} does not exist: no server was started here` })
  for (const file of ['cli-token', 'runner-key', 'signing-keys', 'sealing-key', 'audit-key'])
    examineMode(join(dataDir, file), '600', undefined)
  examineMode(join(configDir, 'credentials.json'), '600', undefined)
  return [...findings, ...examineRoom(dataDir)]
}

/** A log that cannot grow refuses everything but reading. */
function examineRoom(dataDir: string): Finding[] {
  if (!existsSync(dataDir)) return []
  const { bavail, bsize } = statfsSync(dataDir)
  const freeMiB = Math.floor((bavail * bsize) / (1024 * 1024))
  const what = `${freeMiB} MiB of room on the disk of ${dataDir}`
  return [freeMiB >= enoughRoomMiB ? { ok: true, what } : { ok: false, what: `only ${what}` }]
}

/** The log of the server on this machine, whether it works now or not: it is read and nothing else. */
async function examineLog({ dataDir, databaseUrl }: Settings): Promise<Finding[]> {
  if (databaseUrl === undefined && !existsSync(join(dataDir, 'hotline.db'))) return []
  const place: DatabasePlace =
    databaseUrl === undefined ? { kind: 'sqlite', dir: dataDir } : { kind: 'postgres', url: databaseUrl }
  try {
    const { streams, events, faults } = await proveAt(place)
    if (faults.length === 0) return [{ ok: true, what: `the log holds: ${streams} streams, ${events} events` }]
    const advice = 'Put a copy back ("hotline restore"), or keep what is there as it is and ask for help.'
    return faults.map(({ stream, what }) => ({ ok: false, what: `${stream} is damaged. ${what} ${advice}` }))
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error)
    return [{ ok: false, what: `the log cannot be looked at: ${why}` }]
  }
}

async function proveAt(place: DatabasePlace): Promise<Proof> {
  const log = await openToProve(place)
  try {
    return await proveLog(log)
  } finally {
    await log[Symbol.asyncDispose]()
  }
}
