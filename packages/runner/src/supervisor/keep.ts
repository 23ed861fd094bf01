import type { Report } from '@hotline/protocol/commands/agent'
import { type AdapterName, type StartSpec } from '../adapters/adapter.ts'
import { readCall } from '../adapters/recorded.ts'
import type { Log } from '../log.ts'
import type { Attachment, AttachFrom, KeepTerms, Survivor } from '../process/lasting.ts'
import type { AgentProfile } from '../profiles/profile.ts'
import type { Secret } from '../redact.ts'
import type { Spool } from '../spool/spool.ts'
import type { Told } from '../spool/told.ts'
import type { AgentRun } from './agent-run.ts'
import type { SessionLog } from './session-log.ts'

/** Bytes of what a program prints that wait on the disk while nobody reads them; past it, the program waits. */
const unreadBytes = 1024 * 1024

/** The same of what is kept until the screen is saved that it led to. */
const unsavedBytes = 8 * 1024 * 1024

/** Of an agent whose whole conversation is kept, so that its adapter can be built anew. */
const conversationBytes = 96 * 1024 * 1024

/** What a later life needs to take up an agent. It holds what the agent was trusted with, and is never on the disk. */
export interface KeepMemo {
  profile: AgentProfile
  spec: StartSpec
  secrets: readonly Secret[]
  /** The file of its desk. */
  desk?: string | undefined
}

/** On what terms an agent is kept. */
export function termsOf(memo: KeepMemo): KeepTerms {
  const isWhole = speaks(memo.profile.adapter)
  return {
    memo: JSON.stringify(memo),
    unreleasedBytes: isWhole ? conversationBytes : unsavedBytes,
    unreadBytes,
    inputs: isWhole ? 'all' : 'last',
  }
}

/** Undefined where it cannot be read: it is of another version. */
export function readMemo(survivor: Survivor): KeepMemo | undefined {
  try {
    const memo = JSON.parse(survivor.memo) as Partial<KeepMemo>
    const { profile, spec, secrets, desk } = memo
    return profile && spec && secrets ? { profile, spec, secrets, desk } : undefined
  } catch {
    return undefined
  }
}

/** Where to begin with an agent that is alive; undefined where what would be needed of its output is gone. */
export function whereToBegin(adapter: AdapterName, told: Told, { from }: Survivor): AttachFrom | undefined {
  const { outputs, screen } = told
  const err = outputs.stderr ?? 0
  const out = speaks(adapter) ? 0 : adapter === 'pty' ? (screen?.at ?? 0) : (outputs.stdout ?? 0)
  const isThere = from.out <= out && from.err <= err
  return isThere ? { out, err, again: speaks(adapter), cut: adapter === 'pty' ? outputs.pty : undefined } : undefined
}

/** What of its output is not needed any more. */
export function releasable(adapter: AdapterName, told: Told | undefined): { out?: number; err?: number } {
  const { outputs, screen } = told ?? { outputs: {} }
  const err = outputs.stderr ?? 0
  if (speaks(adapter)) return { err }
  return { out: adapter === 'pty' ? (screen?.at ?? 0) : (outputs.stdout ?? 0), err }
}

/** Keys that the process has. */
function typedOf({ notes }: Survivor): ReadonlySet<string> {
  const calls = notes.map((note) => readCall(note))
  return new Set(calls.flatMap((call) => (call?.call === 'keys' ? [String(call.args[0])] : [])))
}

/** An agent of an earlier life. */
export interface Found {
  survivor: Survivor
  attachment: Attachment
}

/** What an agent that was found is taken up with. */
interface TakingUp {
  spool: Spool
  sessionLog: SessionLog
  run: AgentRun
  put: (report: Report) => void
}

/**
 * Goes through what an earlier life has heard and done, and then through what happened while there was none. False where that
 * cannot be done: then the agent is ended.
 */
export async function catchUp(
  { survivor, attachment }: Found,
  to: TakingUp & { hearing: Promise<unknown>; log: Log },
): Promise<boolean> {
  const { run, hearing, log } = to
  const again = (note: unknown): void => {
    const call = readCall(note)
    if (call) run.again(call)
  }
  try {
    await Promise.race([attachment.replay({ idle: () => run.idle(), call: again }), hearing])
  } catch (error) {
    log.warn('agent cannot be taken up', { session: survivor.session, why: String(error) })
    await attachment.forget()
    return false
  }
  settleIntents(survivor, to)
  run.present()
  run.takeUp(typedOf(survivor))
  return true
}

/**
 * What was about to be done to the agent when the earlier life ended: it was noted, and then the agent has it; or not, and
 * then it has not, and is told now. There is no doubt, because a note is made before the deed, and what was noted is done.
 */
function settleIntents({ notes }: Survivor, { spool, sessionLog, run, put }: TakingUp): void {
  const calls = notes.map((note) => readCall(note))
  const wasDone = (call: string, name: string | undefined): boolean =>
    calls.some((noted) => noted?.call === call && noted.args[0] === name)
  const wasPrompted = (message: string): boolean =>
    calls.some((noted) => noted?.call === 'prompt' && noted.args[2] === message)
  for (const [id, intent] of spool.intents) {
    switch (intent.what) {
      case 'answer': {
        const { approval } = intent
        const decided = sessionLog.state?.approvals.find((known) => known.approval === approval)
        if (decided && wasDone('answer', approval)) {
          const answer = sessionLog.undelivered.answers.find(
            ({ data }) => 'approval' in data && data.approval === approval,
          )
          const digest = (answer?.data as { modifiedDigest?: string } | undefined)?.modifiedDigest ?? decided.digest
          put({ type: 'approval.dispatched', data: { approval, digest } })
        }
        break
      }
      case 'prompt': {
        const { turn, message, text, steer, pictures } = intent
        const isClaimed = message === undefined || sessionLog.undelivered.claimed === message
        const isGiven = wasDone('prompt', turn) || (message !== undefined && wasPrompted(message))
        if (!isClaimed || turn === undefined || text === undefined || isGiven) break
        if (steer === true && message !== undefined) {
          void run.steerAgain({ message, text, intent: id, pictures })
          continue
        }
        run.handOver(turn, message, text, pictures)
        break
      }
      case 'keys':
        break
    }
    spool.conclude(id)
  }
}

/** Its adapter is built anew from the whole conversation; of the others, what they printed is enough. */
function speaks(adapter: AdapterName): boolean {
  return adapter === 'acp' || adapter === 'claude' || adapter === 'codex'
}
