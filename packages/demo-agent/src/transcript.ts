import type { SessionUpdate } from '@agentclientprotocol/sdk'
import { appendFileSync, existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { STATE_FOLDER } from './workspace.ts'

/** A transcript that has grown to this keeps no more; the agent goes on without. */
const MAX_TRANSCRIPT_BYTES = 32 * 1024 * 1024

const SESSION_ID = /^demo-[0-9a-f-]{36}$/

/** One line of a transcript's file. */
type Entry =
  | { created: string; sessionId: string; cwd: string }
  | { update: SessionUpdate }
  | { mode: string }
  | { modeAfterLoad: string }

/** What a session looked like when its last process ended. */
export interface StoredSession {
  /** Everything said and done, in order; pieces of one message are joined. */
  updates: SessionUpdate[]
  /** The mode in which the session comes back. */
  modeId: string | null
}

/** One session's memory on disk: a file of JSON lines, appended at once, so that it survives any death. */
export interface Transcript {
  keep(update: SessionUpdate): void
  keepMode(modeId: string): void
  /** The session comes back in this mode, whatever is set before; for the `forgetMode` step. */
  forceModeAfterLoad(modeId: string): void
}

/** Where a session's transcript lies: `stateFolder`, or a folder inside cwd that git ignores. */
function transcriptPath(stateFolder: string | null, cwd: string, sessionId: string): string {
  return join(stateFolder ?? join(cwd, STATE_FOLDER), `${sessionId}.jsonl`)
}

/** Begins the transcript of a new session. */
export function createTranscript(stateFolder: string | null, cwd: string, sessionId: string): Transcript {
  const folder = stateFolder ?? join(cwd, STATE_FOLDER)
  mkdirSync(folder, { recursive: true })
  if (stateFolder === null) writeFileSync(join(folder, '.gitignore'), '*\n')
  const transcript = openTranscript(stateFolder, cwd, sessionId)
  transcript.append({ created: new Date().toISOString(), sessionId, cwd })
  return transcript
}

/** Goes on with a transcript that exists. */
export function openTranscript(
  stateFolder: string | null,
  cwd: string,
  sessionId: string,
): Transcript & { append(entry: Entry): void } {
  const file = transcriptPath(stateFolder, cwd, sessionId)
  let sizeBytes = existsSync(file) ? statSync(file).size : 0
  const append = (entry: Entry): void => {
    const line = `${JSON.stringify(entry)}\n`
    if (sizeBytes + line.length > MAX_TRANSCRIPT_BYTES) return
    sizeBytes += line.length
    appendFileSync(file, line)
  }
  return {
    append,
    keep: (update) => append({ update }),
    keepMode: (mode) => append({ mode }),
    forceModeAfterLoad: (modeAfterLoad) => append({ modeAfterLoad }),
  }
}

/** Reads a session back; null when there is none of that id. A line cut off by a sudden death is skipped. */
export function readTranscript(stateFolder: string | null, cwd: string, sessionId: string): StoredSession | null {
  if (!SESSION_ID.test(sessionId)) return null
  const file = transcriptPath(stateFolder, cwd, sessionId)
  if (!existsSync(file)) return null
  const updates: SessionUpdate[] = []
  let lastMode: string | null = null
  let forcedMode: string | null = null
  for (const line of readFileSync(file, 'utf8').split('\n')) {
    const entry = parseEntry(line)
    if (entry === null) continue
    if ('update' in entry) joinUpdate(updates, entry.update)
    else if ('mode' in entry) lastMode = entry.mode
    else if ('modeAfterLoad' in entry) forcedMode = entry.modeAfterLoad
  }
  return { updates, modeId: forcedMode ?? lastMode }
}

function parseEntry(line: string): Entry | null {
  try {
    return JSON.parse(line) as Entry
  } catch {
    return null
  }
}

function joinUpdate(updates: SessionUpdate[], update: SessionUpdate): void {
  const last = updates.at(-1)
  if (last && isText(last) && isText(update) && sameMessage(last, update)) {
    const text = last.content.text + update.content.text
    updates[updates.length - 1] = { ...last, content: { type: 'text', text } }
  } else {
    updates.push(update)
  }
}

type TextUpdate = Extract<SessionUpdate, { sessionUpdate: `${string}_chunk` }> & {
  content: { type: 'text'; text: string }
}

const TEXT_UPDATES: readonly string[] = ['user_message_chunk', 'agent_message_chunk', 'agent_thought_chunk']

function isText(update: SessionUpdate): update is TextUpdate {
  return TEXT_UPDATES.includes(update.sessionUpdate) && (update as TextUpdate).content.type === 'text'
}

function sameMessage(a: TextUpdate, b: TextUpdate): boolean {
  if (a.sessionUpdate !== b.sessionUpdate) return false
  const id = (update: TextUpdate): unknown => ('messageId' in update ? update.messageId : undefined)
  return id(a) === id(b) && id(a) !== undefined
}
