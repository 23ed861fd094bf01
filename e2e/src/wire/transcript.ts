import { readdirSync, readFileSync } from 'node:fs'

/** Who speaks for what in a transcript: a person's client, or the machine's. */
export type Voice = 'person' | 'runner'

/** A frame as it is on the wire. */
export interface Frame {
  t: string
  [member: string]: unknown
}

/** One frame of a conversation. */
export interface Line {
  voice: Voice
  from: 'client' | 'server'
  frame: Frame
}

/** What client and server of one version said to each other. A version that was given to people stays as it was. */
export interface Transcript {
  /** Of the program. */
  version: string
  session: string
  lines: readonly Line[]
}

/** Stands for the credential of a hello. */
export const tokenMark = '<token>'

/** Where transcripts are kept. */
export const transcriptFolder: URL = new URL('../../fixtures/wire/', import.meta.url)

/** Those of every version that was recorded. */
export function readTranscripts(): Transcript[] {
  return readdirSync(transcriptFolder)
    .filter((name) => name.endsWith('.json'))
    .map((name) => JSON.parse(readFileSync(new URL(name, transcriptFolder), 'utf8')) as Transcript)
}

/** The events of its session, in order, each once. */
export function eventsOf({ session, lines }: Transcript): { epoch: string; events: Frame[] } {
  const bySeq = new Map<unknown, Frame>()
  let epoch = ''
  for (const { from, voice, frame } of lines) {
    if (from === 'client' || voice !== 'person' || frame.t !== 'events' || frame['stream'] !== `session:${session}`)
      continue
    epoch = String(frame['epoch'])
    for (const event of frame['events'] as Frame[]) bySeq.set(event['seq'], event)
  }
  return { epoch, events: [...bySeq.values()] }
}
