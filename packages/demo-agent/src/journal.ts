import { closeSync, mkdirSync, openSync, writeSync } from 'node:fs'
import { dirname } from 'node:path'

/** Which of the agent's own requests an inbound answer belongs to. */
export interface AnsweredRequest {
  method: string
  /** The tool call that a permission request was about. */
  toolCallId?: string
}

/** One line of the journal. */
export interface JournalEntry {
  at: string
  pid: number
  /** The message as it came in; absent when the line was no JSON. */
  message?: unknown
  unparsed?: string
  answerTo?: AnsweredRequest
}

/** What the agent received, kept for tests that must prove that something arrived, and how often. */
export interface Journal {
  note(entry: Omit<JournalEntry, 'at' | 'pid'>): void
  close(): void
}

/**
 * Appends to a file, one JSON line per inbound message, before the message is handled. Each line is one synchronous
 * write to a file opened for appending: it is there even if the process dies by the message, and several lives of an
 * agent share one file.
 */
export function openJournal(file: string): Journal {
  mkdirSync(dirname(file), { recursive: true })
  const fd = openSync(file, 'a')
  return {
    note: (entry) => {
      const line: JournalEntry = { at: new Date().toISOString(), pid: process.pid, ...entry }
      writeSync(fd, `${JSON.stringify(line)}\n`)
    },
    close: () => closeSync(fd),
  }
}

/** The journal of an agent that was not asked for one. */
export const noJournal: Journal = { note: () => undefined, close: () => undefined }
