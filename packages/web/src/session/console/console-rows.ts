import type { Actor } from '@hotline/protocol/actor'
import type { ControlItem, Item, MessageItem } from '@hotline/core/transcript/item'
import { standstillWords } from '@hotline/core/reach-words'
import type { ConsoleEntry } from './entries.ts'

/** How a command stands. */
export type RowStatus = 'waits' | 'under-way' | 'done' | 'refused' | 'said'

/** One command to the agent: when, by whom, what, and what came of it. */
export interface ConsoleRow {
  key: string
  at: string
  /** Absent: typed here, and not in the log. */
  by?: Actor | undefined
  text: string
  status: RowStatus
  /** What came of it, in words; a refusal with its reason. */
  words: string
  /** Several lines of an answer. */
  answer?: readonly string[] | undefined
}

/** Letters of a message in a row. */
const textMax = 200

/**
 * Everything that people did to the agent in the part of the log that is loaded, whoever it was and from wherever, and what was
 * typed here and is not in the log, in the order of its time.
 */
export function consoleRows(items: readonly Item[], entries: readonly ConsoleEntry[]): ConsoleRow[] {
  const rows = items.flatMap((item) => rowOf(item) ?? [])
  const inLog = new Set(items.flatMap(commandOf))
  const own = entries.filter(({ id }) => !inLog.has(id)).map(rowOfEntry)
  return [...rows, ...own].toSorted((one, other) => Date.parse(one.at) - Date.parse(other.at))
}

/** The id of the command that became this item. */
function commandOf(item: Item): string[] {
  if (item.kind === 'control') return [item.control]
  return item.kind === 'message' && item.role === 'person' ? [item.message] : []
}

function rowOf(item: Item): ConsoleRow | undefined {
  if (item.kind === 'control') {
    return { key: item.key, at: item.at, by: item.by, text: controlText(item), ...controlStatus(item) }
  }
  if (item.kind === 'message' && item.role === 'person') {
    const text = item.erased ? '(erased)' : cut(item.text)
    return { key: item.key, at: item.at, by: item.by, text: `send ${text}`, ...messageStatus(item) }
  }
  return undefined
}

function controlText({ action, when, hard, mode }: ControlItem): string {
  if (action === 'pause' && when === 'next_step') return 'pause after-step'
  if (action === 'interrupt') return hard ? 'stop hard' : 'stop'
  return action === 'set_mode' ? `mode ${mode ?? ''}` : action
}

function controlStatus({ action, outcome, reason, found }: ControlItem): Pick<ConsoleRow, 'status' | 'words'> {
  if (outcome === 'failed') return { status: 'refused', words: `failed: ${reason ?? 'no reason was given'}` }
  if (outcome === undefined) return { status: 'under-way', words: 'accepted, under way' }
  const words = action === 'pause' && found ? standstillWords(found) : ''
  return { status: 'done', words: words === '' ? 'done' : `done: ${words}` }
}

function messageStatus({ delivery }: MessageItem): Pick<ConsoleRow, 'status' | 'words'> {
  switch (delivery) {
    case 'delivered':
    case 'seen':
      return { status: 'done', words: 'done: the agent has it' }
    case 'withdrawn':
      return { status: 'done', words: 'taken back' }
    case 'unread':
      return { status: 'refused', words: 'never read: the session was over' }
    case 'unknown':
      return { status: 'under-way', words: 'accepted; nobody can tell whether the agent has it' }
    case 'queued':
    case undefined:
      return { status: 'under-way', words: 'accepted, waits for the agent' }
  }
}

function rowOfEntry({ id, at, text, outcome }: ConsoleEntry): ConsoleRow {
  const row = { key: `typed:${id}`, at, text }
  if (outcome === undefined) return { ...row, status: 'waits', words: 'not answered yet' }
  switch (outcome.kind) {
    case 'accepted':
      return { ...row, status: 'done', words: 'accepted' }
    case 'refused':
      return { ...row, status: 'refused', words: `refused: ${outcome.why}` }
    case 'answered':
      return { ...row, status: 'said', words: 'answered', answer: outcome.lines }
  }
}

function cut(text: string): string {
  const line = text.replaceAll(/\s+/g, ' ').trim()
  return line.length > textMax ? `${line.slice(0, textMax).toWellFormed()}…` : line
}
