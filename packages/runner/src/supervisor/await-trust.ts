import { setTimeout as pause } from 'node:timers/promises'
import { approvalDigest, contextDigest } from '@hotline/core/approval-digest'
import { uuidV7 } from '@hotline/client/uuid'
import type { Report } from '@hotline/protocol/commands/agent'
import { type ErrorKind, kindOf } from '@hotline/protocol/error'
import type { TrustAnswer, TrustQuestion } from '@hotline/protocol/place'
import { StartError } from '../adapters/adapter.ts'
import type { Redactor } from '../redact.ts'
import type { ServerLink } from '../server-link.ts'
import { sha256 } from '../sha256.ts'
import type { Outbox } from '../spool/outbox.ts'
import { readFolderSettings } from '../trust/folder-settings.ts'
import { shownSettings } from '../trust/shown-settings.ts'
import { sendable } from './sendable.ts'
import type { SessionLog } from './session-log.ts'

/** Between two tries to ask a server that cannot be asked now. */
const retryMinMs = 250
const retryMaxMs = 10_000

/** What goes by itself; with other refusals nobody will ever say yes. */
const passing: ReadonlySet<ErrorKind> = new Set(['unavailable', 'rate-limited', 'internal', 'conflict'])

/** Whose settings are asked about, and where the answer comes from. */
interface TrustOf {
  session: string
  agent: string
  /** Where the agent will work. */
  cwd: string
  /** What that was taken from: what people know it by. */
  from: string
  /** What the agent reads of a folder. */
  names: readonly string[]
  /** The home folder that it gets. */
  home: string | undefined
  sessionLog: Pick<SessionLog, 'state'>
  link: Pick<ServerLink, 'request'>
  outbox: Pick<Outbox, 'put' | 'ask'>
  redactor: Redactor
  /** Resolves at the next event of the session. */
  news: () => Promise<void>
  /** Ends the wait. */
  signal: AbortSignal
}

/** Settings as they are shown, and the digest of exactly that. */
interface Shown {
  input: string
  digest: string
}

/**
 * Waits until a person trusts the settings that a folder brings for its agent, where it brings any. What they allowed is
 * compared with what is there right before the start, and other settings are asked about anew. Throws a `StartError` where
 * the start was refused or given up.
 */
export async function awaitTrust(of: TrustOf): Promise<void> {
  const { sessionLog, outbox } = of
  /** Put by us, and perhaps not come back yet. */
  let own: string | undefined
  const isGivenUp = whenAborted(of.signal)
  for (;;) {
    const news = of.news()
    const shown = await look(of)
    const { approvals = [], resolved = [] } = sessionLog.state ?? {}
    const asked = approvals.find(({ trusts }) => trusts !== undefined)
    const isOnItsWay = own !== undefined && !asked && !resolved.some(({ approval }) => approval === own)
    if (asked && asked.trusts !== shown?.digest) outbox.put(notAsShown(asked))
    else if (!shown) return
    else if (asked?.outcome === 'denied' || asked?.outcome === 'timed_out') {
      outbox.put(dispatched(asked))
      throw new StartError(whyRefused[asked.outcome])
    } else if (!isOnItsWay && (!asked || asked.outcome !== undefined)) {
      if (await isTrusted(of, shown.digest)) {
        // What was read before the server was asked may be another by now.
        if ((await look(of))?.digest !== shown.digest) continue
        if (asked) outbox.put(dispatched(asked))
        return
      }
      if (asked) outbox.put(notAsShown(asked))
      else own = await ask(of, shown)
    }
    await Promise.race([news, isGivenUp])
    if (of.signal.aborted) throw givenUp()
  }
}

const whyRefused = {
  denied: 'The settings that the folder brings for its agent are not trusted, so it was not started.',
  timed_out:
    'Nobody said in time whether the settings that the folder brings for its agent are trusted, so it was not started.',
} as const

async function look({ cwd, from, names, home, redactor, signal }: TrustOf): Promise<Shown | undefined> {
  const files = await readFolderSettings(cwd, { names, home, signal })
  if (files.length === 0) return undefined
  const input = sendable(redactor.text(shownSettings(from, files))) as string
  return { input, digest: sha256(input) }
}

/** Puts it to people. Answers the name of the request. */
async function ask({ session, agent, cwd, from, outbox }: TrustOf, { input, digest: trusts }: Shown): Promise<string> {
  const approval = uuidV7()
  const request = sendable({
    tool: 'folder settings',
    title: `Start with the settings that ${from} brings`,
    input,
    cwd,
    lasting: `Agents of this project start in ${from} on this machine, as long as these files stay exactly as they are.`,
  }) as { tool: string; cwd: string }
  const context = contextDigest(session, agent, request, sha256)
  const digest = approvalDigest(context, trusts, sha256)
  const fate = await outbox.ask({
    type: 'approval.requested',
    data: {
      approval,
      digest,
      contextDigest: context,
      verdicts: ['allow', 'deny'],
      scopes: ['once', 'project'],
      strength: 'enforced',
      trusts,
    },
    body: request,
  })
  if (fate === 'kept') return approval
  if (fate === 'lost') throw givenUp()
  throw new StartError(`Nobody could be asked whether they trust the settings of the folder (${fate.dropped}).`)
}

/** What people have said of these very settings, as the server knows it. */
async function isTrusted({ session, from, link, signal }: TrustOf, digest: string): Promise<boolean> {
  const question: TrustQuestion = { session, folder: from, digest }
  for (let waitMs = retryMinMs; ; waitMs = Math.min(2 * waitMs, retryMaxMs)) {
    const answer = await link.request<TrustAnswer>('POST', '/api/runner/trust', question)
    if (answer.ok) return answer.value.trusted
    const { code, detail, retryAfterMs } = answer.problem
    if (!passing.has(kindOf(code))) throw new StartError(`Nobody can say whether the folder is trusted: ${detail}`)
    await pause(retryAfterMs ?? waitMs, undefined, { signal }).catch(() => undefined)
    if (signal.aborted) throw givenUp()
  }
}

function dispatched({ approval, digest }: { approval: string; digest: string }): Report {
  return { type: 'approval.dispatched', data: { approval, digest } }
}

/** The files are others than those that were shown, or what was allowed does not hold any more. */
function notAsShown({ approval, outcome }: { approval: string; outcome?: string | undefined }): Report {
  return outcome === undefined
    ? { type: 'approval.cancelled', data: { approval, reason: 'agent_withdrew' } }
    : { type: 'approval.dispatch_refused', data: { approval, reason: 'digest_mismatch' } }
}

function whenAborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) return resolve()
    signal.addEventListener('abort', () => resolve(), { once: true })
  })
}

function givenUp(): StartError {
  return new StartError('The start was given up.')
}
