import { OutputSource } from '@hotline/protocol/events/output'
import { z } from 'zod'

/** Bytes of what the agent said, events that came of its last line and were dealt with, reports of the next one. */
const Heard = z.tuple([z.int(), z.int(), z.int()])

/** How far an agent was reported when a report was made. Offsets count the bytes of the process's own outputs. */
export const Mark = z.object({
  heard: Heard.optional(),
  /** The message that is open, and how many characters of it were reported. */
  text: z.tuple([z.string(), z.int()]).optional(),
  /** What was heard when progress was reported last: it stands for all before it. */
  progress: Heard.optional(),
  outputs: z.partialRecord(OutputSource, z.int()).optional(),
})
export type Mark = z.infer<typeof Mark>

/**
 * How far one run of an agent was reported: what stands in the spool, in the log, or was in both. A later life of the runner
 * that finds the agent alive goes on there, and reports nothing twice.
 */
export const Told = z.object({
  /** Names the run. */
  run: z.string(),
  heard: Heard,
  text: z.tuple([z.string(), z.int()]).optional(),
  progress: Heard,
  outputs: z.partialRecord(OutputSource, z.int()),
  /** The screen as it was reported last, after so many bytes. */
  screen: z.object({ at: z.int(), text: z.string() }).optional(),
})
export type Told = z.infer<typeof Told>

/** Nothing was reported of it yet. */
export function toldNothing(run: string): Told {
  return { run, heard: [0, 0, 0], progress: [0, 0, 0], outputs: {} }
}

/** What is told with one more report. */
export function tell(told: Told, { heard, text, progress, outputs }: Mark): Told {
  return {
    ...told,
    heard: heard ?? told.heard,
    text: heard ? text : told.text,
    progress: progress ?? told.progress,
    outputs: { ...told.outputs, ...outputs },
  }
}
