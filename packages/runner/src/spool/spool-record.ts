import { Report } from '@hotline/protocol/commands/agent'
import { z } from 'zod'
import { Mark, Told } from './told.ts'

/** Something that is about to be done to an agent. Written before it is done, so that a crash leaves no doubt unsaid. */
export const Intent = z.discriminatedUnion('what', [
  /**
   * `turn` and `text`: with them a later life can tell whether the agent has it, and hand it over where it has not. `steer`: it
   * was to be said into a turn that runs.
   */
  z.object({
    what: z.literal('prompt'),
    message: z.string().optional(),
    turn: z.string().optional(),
    text: z.string().optional(),
    steer: z.boolean().optional(),
    pictures: z.array(z.object({ path: z.string(), type: z.string() })).optional(),
  }),
  z.object({ what: z.literal('answer'), approval: z.string() }),
  z.object({ what: z.literal('keys'), input: z.string() }),
])
export type Intent = z.infer<typeof Intent>

/** One line of a spool. */
export const SpoolRecord = z.discriminatedUnion('k', [
  /** The fence under which this session is held. */
  z.object({ k: z.literal('lease'), fence: z.int() }),
  /** What the agent did, number `n` of this spool, at a time in milliseconds; and how far it is told with that. */
  z.object({ k: z.literal('event'), n: z.int(), at: z.number(), e: Report, m: Mark.optional() }),
  /** How far the present run of the agent is told. */
  z.object({ k: z.literal('told'), told: Told }),
  /** Events up to `to` are sent as one command with this id; from here on they are never cut otherwise. */
  z.object({ k: z.literal('batch'), id: z.string(), to: z.int(), fence: z.int(), late: z.boolean() }),
  /** Events up to `to` are done with: accepted, or given up. */
  z.object({ k: z.literal('ack'), to: z.int() }),
  /** The batch was refused as it is; its events are cut anew. */
  z.object({ k: z.literal('uncut'), id: z.string() }),
  z.object({ k: z.literal('intent'), id: z.string(), intent: Intent }),
  z.object({ k: z.literal('done'), id: z.string() }),
])
export type SpoolRecord = z.infer<typeof SpoolRecord>

/** A record, and how long its line is. */
export interface ReadRecord {
  record: SpoolRecord
  lineBytes: number
}

/** The records of a file, and how many of its bytes they take: what follows was cut off by a crash. */
export function readRecords(bytes: Buffer): { records: readonly ReadRecord[]; goodBytes: number } {
  const records: ReadRecord[] = []
  let goodBytes = 0
  for (let end = bytes.indexOf(10); end >= 0; end = bytes.indexOf(10, goodBytes)) {
    const record = readRecord(bytes.toString('utf8', goodBytes, end))
    if (!record) break
    records.push({ record, lineBytes: end + 1 - goodBytes })
    goodBytes = end + 1
  }
  return { records, goodBytes }
}

function readRecord(line: string): SpoolRecord | undefined {
  try {
    return SpoolRecord.safeParse(JSON.parse(line)).data
  } catch {
    return undefined
  }
}
