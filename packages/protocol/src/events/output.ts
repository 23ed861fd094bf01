import { z } from 'zod'
import { defineEvent } from '../event.ts'
import { Id } from '../ids.ts'

/** `file`: what was written to a file that is followed; `log`: what the runner has to say of the agent, such as that a line
 * of it was dropped. */
export const OutputSource = z.enum(['stdout', 'stderr', 'pty', 'file', 'log'])
export type OutputSource = z.infer<typeof OutputSource>

/** A place in a file that is followed, as it can be found again later. */
export const FilePlace = z.looseObject({
  /** What the machine knows the file by, whatever its name is. */
  file: z.string().max(100),
  /** In bytes: what comes before it was read. */
  end: z.int(),
  /** A digest of how the file begins: another file may get the number of one that is gone. */
  head: z.string().max(100),
})
export type FilePlace = z.infer<typeof FilePlace>

/** How bytes travel inside JSON. */
export const Encoding = z.enum(['utf8', 'base64'])

/** What a program prints, what is typed to it, its terminal's size, the server's own notices, and what was erased. */
export const outputEvents = {
  'output.appended': defineEvent(
    1,
    /** `place`: where a followed file is read on from after this. */
    z.looseObject({ source: OutputSource, encoding: Encoding, bytes: z.int(), place: FilePlace.optional() }),
    z.looseObject({ text: z.string() }),
  ),
  /**
   * What the terminal shows after everything that was printed before this event: what makes another terminal show the
   * same, and the same in plain lines. Whoever comes late begins with the newest one.
   */
  'screen.saved': defineEvent(
    1,
    z.looseObject({ cols: z.int(), rows: z.int() }),
    z.looseObject({ text: z.string(), plain: z.string() }),
  ),
  /** Somebody has the keyboard of the terminal: nobody else types there or sets its size, until they take it. */
  'terminal.taken': defineEvent(1, z.looseObject({ keyboard: Id })),
  'terminal.released': defineEvent(1, z.looseObject({ keyboard: Id })),
  'terminal.resized': defineEvent(1, z.looseObject({ cols: z.int(), rows: z.int() })),
  /** What a person typed into the program; `delivered` events of their own do not exist for keys. */
  'input.sent': defineEvent(
    1,
    z.looseObject({ input: Id, encoding: Encoding, bytes: z.int() }),
    z.looseObject({ text: z.string() }),
  ),
  /** The server's own words. The code chooses the template; agents can never append this type. */
  'notice.posted': defineEvent(1, z.looseObject({ code: z.string() }), z.looseObject({ text: z.string() })),
  /**
   * Bodies were erased up to a position: those of one subject, or all. `kind`: of all subjects, but only what programs and tools
   * said; `days`: because it is kept for so long.
   */
  'content.erased': defineEvent(
    1,
    z.looseObject({
      subject: z.string().optional(),
      upTo: z.int(),
      reason: z.enum(['requested', 'retention']),
      kind: z.literal('output').optional(),
      days: z.int().optional(),
    }),
  ),
}
