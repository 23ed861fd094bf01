import type { Attachment } from '@hotline/protocol/attachment'
import type { KnownEvent } from '@hotline/protocol/events'
import { budgetWords, usedWords } from './budget-words.ts'
import { modeAnswered } from './policy/mode-words.ts'
import { outputErased } from './transcript/erase-output.ts'
import { preparedLines, releasedLines } from './place-words.ts'

const modeSet = { ask: 'everything is asked', edits_free: 'edits are free', hands_free: 'hands-free' }

/** Characters of one line; what is longer is cut and says so. */
const lineMax = 200

/**
 * What an event says to a person, in one line that stands by itself, for lists, notices and channels: `[stdout] 12 passed`,
 * `Waiting for input: Which port?`, `Goal complete: …`, `Status: …`. Undefined for what is no news to a person. The words of
 * agents are in it as they are, but for line ends and blanks: whoever shows it escapes what their place cannot take.
 */
export function oneLine(event: KnownEvent): string | undefined {
  const line = lineOf(event)
  return line === undefined ? undefined : cut(line)
}

function lineOf(event: KnownEvent): string | undefined {
  // oxlint-disable-next-line typescript/switch-exhaustiveness-check -- the rest is no news to a person
  switch (event.type) {
    case 'output.appended':
      if (event.data.encoding === 'base64') return `[${event.data.source}] (${event.data.bytes} bytes that are no text)`
      return said(`[${event.data.source}]`, event.body?.text)
    case 'message.posted':
      if (event.data.role === 'agent') return said('[agent]', withFiles(event.body))
      return said(event.data.role === 'system' ? 'Status:' : 'Message:', withFiles(event.body))
    case 'message.completed':
      return said('[agent]', withFiles(event.body))
    case 'approval.requested':
      return said(event.data.queued ? 'In the queue for approval:' : 'Waiting for approval:', event.body?.title)
    case 'approval.opened':
      return `Waiting for approval: next in the queue (${event.data.approval})`
    case 'approval.refused':
      return said(`Status: refused at once, ${event.data.limit} requests wait already:`, event.body?.title)
    case 'question.asked':
      return said('Waiting for input:', event.body?.text)
    case 'approval.resolved': {
      const { outcome, mode } = event.data
      const how = mode ? ` (${modeAnswered(mode.mode)})` : ''
      return said(`Status: ${outcome.replaceAll('_', ' ')}${how}`, reasonOf(event.body?.reason))
    }
    case 'approval.recalled':
      return 'Status: allowance taken back'
    case 'policy.mode_set': {
      const { mode, until } = event.data
      return `Status: ${modeSet[mode]}${until === undefined ? '' : ` until ${until}`}`
    }
    case 'policy.mode_ended':
      return `Status: no longer ${modeAnswered(event.data.mode)}: everything is asked`
    case 'approval.timed_out':
      return 'Status: nobody answered in time: denied'
    case 'goal.completed':
      return event.body?.summary ? said('Goal complete:', event.body.summary) : 'Goal complete'
    case 'session.state_changed': {
      const { from, to, reason, exit } = event.data
      const how = exit ? `, ${exit.signal ?? `exit code ${exit.code}`}` : ''
      return said(`Status: ${from} -> ${to} (${reason.replaceAll('_', ' ')}${how})`, reasonOf(event.body?.note))
    }
    case 'session.contact_lost':
      return 'Status: out of contact'
    case 'session.contact_restored':
      return 'Status: in contact again'
    case 'session.taken_over':
      return 'Status: taken over, another machine goes on'
    case 'turn.ended':
      return event.data.end === 'end'
        ? 'Status: turn ended'
        : said(`Status: turn ended: ${event.data.end}`, reasonOf(event.body?.error))
    case 'control.requested': {
      const { action, ending } = event.data
      if (action !== 'kill') return undefined
      return said(ending === 'completed' ? 'Complete session' : 'Abort session', reasonOf(event.body?.reason))
    }
    case 'control.escalated':
      return `Status: ${event.data.action} goes further: ${escalatedWords(event.data)}`
    case 'control.failed':
      return said(`Status: ${event.data.action} failed`, reasonOf(event.body?.reason))
    case 'budget.changed':
      return `Status: budget: ${budgetWords(event.data.budget)}`
    case 'budget.warned':
      return `Status: budget nearly used up: ${usedWords(event.data)}`
    case 'budget.exhausted':
      return `Status: budget used up, held before its next step: ${usedWords(event.data)}`
    case 'loop.noticed':
      return said(`Status: the same call ${event.data.times} times in a row:`, event.body?.title)
    case 'checkpoint.skipped':
      return said('Status: no snapshot of the files -', event.body?.note)
    case 'workspace.prepared':
      return said('Status:', preparedLines(event.data, event.body).join(' '))
    case 'workspace.released':
      return said('Status:', releasedLines(event.data, event.body).join(' '))
    case 'draft.ready': {
      const { files, waits, draft } = event.data
      const what = `${files} changed ${files === 1 ? 'file' : 'files'} (${draft})`
      return waits === true ? said(`Waiting for review: ${what}`, event.body?.note ?? '') : `Draft ready: ${what}`
    }
    case 'draft.reviewed':
      return said(reviewedWords(event.data, event.body), reasonOf(event.body?.reason))
    case 'draft.refused':
      return said('Status: no changes to review -', event.body?.reason)
    case 'draft.resolved': {
      const { kept, discarded, open } = event.data
      const { merged } = event.body ?? {}
      const line = `Status: reviewed: ${kept} kept, ${discarded} discarded, ${open} open`
      return merged ? said(`${line}, merged into`, merged.into) : line
    }
    case 'undo.planned':
      return `Status: undo planned: ${event.data.files} ${event.data.files === 1 ? 'file' : 'files'}`
    case 'undo.refused':
      return said('Status: undo refused', reasonOf(event.body?.reason))
    case 'checkpoint.restored': {
      const { restored, kept } = event.data
      const rest = kept > 0 ? `, ${kept} kept as they are` : ''
      return `Status: undone: ${restored} ${restored === 1 ? 'file' : 'files'} put back${rest}`
    }
    case 'content.erased':
      return event.data.kind === 'output' ? `Status: ${outputErased(event.data.days)}` : undefined
    case 'notice.posted':
      return said('Status:', event.body?.text)
    default:
      return undefined
  }
}

/** What a person says of changes: `Approve src/a.ts in draft d1`, `Approve 2 files, reject 1 file in draft d1`. */
function reviewedWords(
  { draft, keep, discard }: { draft: string; keep: number; discard: number },
  names: { keep: readonly string[]; discard: readonly string[] } | undefined,
): string {
  const files = (count: number, [name]: readonly string[] = []): string =>
    count === 1 && name !== undefined ? name : `${count} ${count === 1 ? 'file' : 'files'}`
  const parts = [
    ...(keep > 0 ? [`approve ${files(keep, names?.keep)}`] : []),
    ...(discard > 0 ? [`reject ${files(discard, names?.discard)}`] : []),
  ].join(', ')
  return `${parts.charAt(0).toUpperCase()}${parts.slice(1)} in draft ${draft}`
}

/** What was ended so that a turn stops. */
export function endedWords(processes: number): string {
  const what = processes === 1 ? '1 process' : `${processes} processes`
  return `${what} that the agent had started in this turn ${processes === 1 ? 'was' : 'were'} ended`
}

/** How a stop went further. */
export function escalatedWords({ processes, agent }: { processes: number; agent?: true | undefined }): string {
  return agent ? 'the agent itself was interrupted (SIGINT)' : endedWords(processes)
}

/** Nothing where there is nothing to read. */
function said(word: string, text: string | undefined): string {
  const folded = (text ?? '(erased)').replaceAll(/[\s\u0085]+/gu, ' ').trim()
  return folded === '' ? word : `${word} ${folded}`
}

/** What was said, and what came with it. */
function withFiles(
  body: { text: string; attachments?: readonly Attachment[] | undefined } | undefined,
): string | undefined {
  return body && [body.text, ...(body.attachments ?? []).map(({ name }) => `[file: ${name}]`)].join(' ')
}

function reasonOf(text: string | undefined): string {
  return text === undefined || text.trim() === '' ? '' : `- ${text}`
}

function cut(line: string): string {
  // By whole characters: half of one is none.
  const chars = Array.from(line.slice(0, 2 * lineMax + 2))
  return chars.length <= lineMax ? line : `${chars.slice(0, lineMax - 1).join('')}…`
}
