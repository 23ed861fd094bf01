import { recapOf } from '@hotline/core/transcript/recap'
import { applyLater, emptyTranscript, foldTranscript } from '@hotline/core/transcript/transcript'
import type { Report } from '@hotline/protocol/commands/agent'
import type { TranscriptWindow } from '@hotline/protocol/http'
import { limits } from '@hotline/protocol/limits'
import { StartError, type StartSpec } from '../adapters/adapter.ts'
import type { Log } from '../log.ts'
import type { ServerLink } from '../server-link.ts'
import { remarkReport } from './report-of.ts'
import type { SessionLog } from './session-log.ts'

/** Characters of what an agent without a context of its own is told. */
const recapChars = 12_000

const opening =
  'This conversation began with an agent on another machine, and its memory is not here. This is what was said and done, as Hotline kept it:'

/** What a session that was taken over is started with. */
interface Elsewhere {
  session: string
  sessionLog: SessionLog
  link: ServerLink
  signal: AbortSignal
  log: Log
  put: (report: Report) => void
  /** Writes down what is known of the session: nobody else knows what its agent has to be told. */
  remember: () => void
}

/**
 * Starts an agent, which is one that was taken over from another machine or not. There it goes on with its own context where
 * that is here too; otherwise it begins anew, and is told with its next message what was said. People see which it is.
 */
export async function startElsewhere<T>(
  start: (spec: StartSpec) => Promise<T>,
  spec: StartSpec,
  { session, sessionLog, link, signal, log, put, remember }: Elsewhere,
): Promise<T> {
  if (sessionLog.wanted.takenOver !== true) return await start(spec)
  const say = (text: string): void => put(remarkReport(text))
  if (spec.resume !== undefined) {
    try {
      const begun = await start(spec)
      say('Taken over on this machine: the agent goes on with its own context.\n')
      return begun
    } catch (error) {
      if (!(error instanceof StartError) || signal.aborted) throw error
      log.info('the context of the agent is not here', { session, why: error.message })
    }
  }
  const begun = await start({ ...spec, resume: undefined, mode: sessionLog.wanted.mode })
  const recap = await readRecap(session, link)
  if (recap !== '') {
    sessionLog.wanted = { ...sessionLog.wanted, recap: `${opening}\n\n${recap}` }
    // Until the run is written down as begun, the next life of this runner would not take it up, but start another.
    remember()
  }
  say(
    recap === ''
      ? 'Taken over on this machine: the agent begins here.\n'
      : 'Taken over on this machine: the context of the agent is not here, so it begins anew. With the next message it is told what was said and done, as Hotline kept it.\n',
  )
  return begun
}

/** The end of the conversation, as the server tells it; empty where there is none, or it cannot be had now. */
async function readRecap(session: string, link: ServerLink): Promise<string> {
  const path = `/api/sessions/${session}/transcript?limit=${limits.pageEvents}` as const
  const answer = await link.request<TranscriptWindow>('GET', path)
  if (!answer.ok) return ''
  const { events, later } = answer.value
  return recapOf(applyLater(foldTranscript(emptyTranscript, events), later).items, recapChars)
}
