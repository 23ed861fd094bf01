import type { AutoExit } from '../profiles/interactive.ts'

/** Why a session ends by itself. */
export interface AutoEnd {
  reason: 'idle' | 'goal_reached'
  note: string
}

/**
 * Ends a session as its profile says: where nothing has happened for a time, or where the agent has done what it was told.
 * It never ends one in which somebody waits for something.
 */
export class AutoExitWatch implements Disposable {
  readonly #exit: AutoExit | undefined
  readonly #agent: { atRest: () => boolean; tellsGoals: () => boolean }
  readonly #end: (end: AutoEnd) => void
  #isGoalReached = false
  #timer: NodeJS.Timeout | undefined

  /**
   * `atRest`: no turn, nothing that waits for the agent, and nothing that waits for a person. `tellsGoals`: it can say itself
   * that its goal is reached; of another one the end of its turn says so.
   */
  constructor(
    exit: AutoExit | undefined,
    agent: { atRest: () => boolean; tellsGoals: () => boolean },
    end: (end: AutoEnd) => void,
  ) {
    this.#exit = exit
    this.#agent = agent
    this.#end = end
  }

  /** Something happened. */
  stir(): void {
    const exit = this.#exit
    if (exit?.on !== 'idle') return
    if (this.#timer) {
      this.#timer.refresh()
      return
    }
    this.#timer = setTimeout(() => {
      if (this.#agent.atRest()) {
        this.#end({ reason: 'idle', note: `Nothing happened for ${timeText(exit.idleMs)}; its profile ends it then.` })
      } else this.#timer?.refresh()
    }, exit.idleMs)
    this.#timer.unref()
  }

  /** The agent ended its turn by itself. */
  turnEnded(): void {
    if (this.#exit?.on !== 'goal' || !this.#agent.atRest()) return
    if (this.#agent.tellsGoals() && !this.#isGoalReached) return
    this.#end({ reason: 'goal_reached', note: 'The agent has done what it was told; its profile ends it then.' })
  }

  /** The agent says that its goal is reached; its turn may go on for some words. */
  goalReached(): void {
    this.#isGoalReached = true
    // Whoever said so is still to hear that it was understood.
    setImmediate(() => this.turnEnded())
  }

  [Symbol.dispose](): void {
    clearTimeout(this.#timer)
  }
}

function timeText(ms: number): string {
  const seconds = Math.round(ms / 1_000)
  if (seconds % 3_600 === 0) return `${seconds / 3_600} h`
  return seconds % 60 === 0 ? `${seconds / 60} min` : `${seconds} s`
}
