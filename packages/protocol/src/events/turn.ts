import { z } from 'zod'
import { defineEvent } from '../event.ts'
import { Id } from '../ids.ts'

/** What a tool call does, as ACP divides them. */
export const StepKind = z.enum(['read', 'edit', 'delete', 'move', 'search', 'execute', 'think', 'fetch', 'other'])
export type StepKind = z.infer<typeof StepKind>

/** How a tool call ended; `denied` by a person, `cancelled` with its turn. */
export const StepOutcome = z.enum(['done', 'failed', 'denied', 'cancelled'])
export type StepOutcome = z.infer<typeof StepOutcome>

/** Why an agent came to rest; `refused` by its model, `limit` of its tokens or steps. */
export const TurnEnd = z.enum(['end', 'cancelled', 'refused', 'limit', 'error'])
export type TurnEnd = z.infer<typeof TurnEnd>

/** A change to one file as an agent shows it; `oldText` null or absent for a new file; fragments are marked `partial`. */
export const FileChange = z.looseObject({
  path: z.string(),
  oldText: z.string().nullable().optional(),
  newText: z.string(),
  partial: z.boolean().optional(),
  /** The name that it had, or that of what it is a copy of. */
  cameFrom: z.looseObject({ path: z.string(), how: z.enum(['moved', 'copied']) }).optional(),
  /** As git writes them, such as 100755 for what can be run; `from` absent for a new file. */
  modes: z.looseObject({ from: z.string().optional(), to: z.string().optional() }).optional(),
  /** What changed in it is no text, and not shown. */
  binary: z.boolean().optional(),
  /** It is not there any more. */
  removed: z.boolean().optional(),
})
export type FileChange = z.infer<typeof FileChange>

/** What an agent does between a message and its rest. */
export const turnEvents = {
  'turn.started': defineEvent(1, z.looseObject({ turn: Id, message: Id.optional() })),
  'turn.ended': defineEvent(
    1,
    z.looseObject({ turn: Id, end: TurnEnd }),
    z.looseObject({
      error: z.string().optional(),
      /** What the agent says that it changed in the turn, as one git patch. */
      patch: z.string().optional(),
    }),
  ),
  'step.started': defineEvent(
    1,
    z.looseObject({ step: Id, kind: StepKind, turn: Id.optional(), parent: Id.optional() }),
    z.looseObject({
      title: z.string(),
      /** The agent's raw arguments, untouched. */
      input: z.unknown().optional(),
      locations: z.array(z.string()).optional(),
      changes: z.array(FileChange).optional(),
    }),
  ),
  'step.progressed': defineEvent(
    1,
    z.looseObject({ step: Id, progress: z.number().min(0).max(1).optional() }),
    z.looseObject({
      title: z.string().optional(),
      input: z.unknown().optional(),
      /** Output of the tool so far, whole: it replaces what was shown before. */
      output: z.string().optional(),
      locations: z.array(z.string()).optional(),
      changes: z.array(FileChange).optional(),
    }),
  ),
  'step.finished': defineEvent(
    1,
    z.looseObject({ step: Id, outcome: StepOutcome }),
    z.looseObject({
      title: z.string().optional(),
      output: z.string().optional(),
      error: z.string().optional(),
      changes: z.array(FileChange).optional(),
    }),
  ),
  /** The same call, so many times in a row: it may be in a loop. A person decides whether it is held. */
  'loop.noticed': defineEvent(
    1,
    z.looseObject({ step: Id, times: z.int().min(2) }),
    z.looseObject({ title: z.string() }),
  ),
  'plan.updated': defineEvent(
    1,
    z.looseObject({ entries: z.int(), done: z.int() }),
    z.looseObject({
      entries: z.array(z.looseObject({ text: z.string(), status: z.enum(['pending', 'in_progress', 'completed']) })),
    }),
  ),
  'usage.reported': defineEvent(
    1,
    z.looseObject({
      inputTokens: z.number().optional(),
      outputTokens: z.number().optional(),
      contextUsed: z.number().optional(),
      contextSize: z.number().optional(),
      /** Cost of the whole session so far. */
      cost: z.looseObject({ amount: z.number(), currency: z.string() }).optional(),
      /** The same for each model that worked for it, as its present process counts. */
      models: z
        .array(
          z.looseObject({
            model: z.string(),
            inputTokens: z.number(),
            outputTokens: z.number(),
            costUsd: z.number().optional(),
          }),
        )
        .optional(),
    }),
  ),
}
