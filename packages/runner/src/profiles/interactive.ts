/** How the output of a program is read. */
export const captures = ['pty', 'pipe', 'log'] as const

/** See `captures`. */
export type OutputCapture = (typeof captures)[number]

/** When a session ends by itself: nothing happened for so long, or its agent has done what it was told. */
export type AutoExit = { on: 'idle'; idleMs: number } | { on: 'goal' }

/** How people work with an agent, as its profile says: the block `interactive`. */
export interface Interactive {
  /** False: it is known here and cannot be started. */
  enabled: boolean
  outputCapture: OutputCapture
  /** False: what the session was started with is all that reaches it. */
  allowHumanInput: boolean
  autoExit?: AutoExit | undefined
  /** The command line by which a session is taken up again, in place of the first one. */
  resumeArgv?: readonly string[] | undefined
}

/** What holds for what the block does not say. */
export const interactiveDefaults = { enabled: false, outputCapture: 'pipe', allowHumanInput: true } as const

/** How `auto_exit_on` is written. */
export const autoExitForms = '"idle_timeout: 300s" (a number with s, m or h) or goal_complete'

/** A session may be left alone for as long as a week. */
const idleMaxMs = 7 * 24 * 60 * 60 * 1_000

const unitMs: Readonly<Record<string, number>> = { s: 1_000, m: 60_000, h: 3_600_000 }

/** Reads `auto_exit_on`; undefined where it is neither of its two forms, or no time that makes sense. */
export function readAutoExit(text: string): AutoExit | undefined {
  if (text.trim() === 'goal_complete') return { on: 'goal' }
  const parts = /^idle_timeout:\s*([1-9][0-9]{0,6})\s?([smh])$/.exec(text.trim())
  const idleMs = Number(parts?.[1] ?? 0) * (unitMs[parts?.[2] ?? ''] ?? 0)
  return idleMs > 0 && idleMs <= idleMaxMs ? { on: 'idle', idleMs } : undefined
}

/** The words that stand for something in `command` and `resume_cmd`. */
export const placeholders = ['session_id'] as const

/** What a session may be called on a command line: nothing that a program could take for an option. */
const safeName = /^[A-Za-z0-9_][A-Za-z0-9_.:-]{0,199}$/

/** Placeholders that mean nothing here, as they were written. */
export function unknownPlaceholders(argv: readonly string[]): readonly string[] {
  const known: readonly string[] = placeholders
  return argv.flatMap((word) =>
    [...word.matchAll(/\{([A-Za-z_][A-Za-z0-9_]*)\}/g)].flatMap(([, name = '']) =>
      known.includes(name) ? [] : [name],
    ),
  )
}

/**
 * Puts the name of a session into a command line that was cut into words before: whatever it is, it stays inside its
 * word, and no shell reads it. Undefined where the name could be taken for something else than a name.
 */
export function fillArgv(argv: readonly string[], sessionId: string): readonly string[] | undefined {
  if (!argv.some((word) => word.includes('{session_id}'))) return argv
  if (!safeName.test(sessionId)) return undefined
  return argv.map((word) => word.replaceAll('{session_id}', sessionId))
}
