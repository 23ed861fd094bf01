import { uuidV7 } from '@hotline/client/uuid'
import * as fc from 'fast-check'
import { expect } from 'vitest'
import { outcomeOf } from './ledger.ts'
import {
  at,
  Checked,
  comeUp,
  decisionOf,
  downs,
  minute,
  type Model,
  type ModelApproval,
  second,
  type Verdict,
  verdicts,
  anyone,
  whoOf,
} from './model.ts'
import type { AskedOf, Scene } from './scene.ts'

/** What happens at once with others. The order in which they arrive is the world's. */
type Rival =
  | { do: 'decide'; who: number; verdict: Verdict; shown: 'it' | 'nothing' }
  | { do: 'extend' | 'recall' | 'withdraw' | 'cut' | 'let time run out' | 'kill the machine' }
  | { do: 'crash'; downMs: number }

export class Race extends Checked {
  readonly #which: number
  readonly #rivals: readonly Rival[]
  constructor(which: number, rivals: readonly Rival[]) {
    super()
    this.#which = which
    this.#rivals = rivals
  }
  check({ approvals, isAway, status }: Model): boolean {
    return approvals.length > 0 && !isAway && status === 'active'
  }
  async act(model: Model, scene: Scene): Promise<void> {
    const asked = at(scene.asked, this.#which)
    const known = at(model.approvals, this.#which)
    await scene.atOnce(
      this.#rivals.map((rival) => ({ what: rival.do, happens: () => take(rival, asked, known, scene) })),
    )
    // Who won, nobody can say before; that there is one winner, and what the losers hear, is looked at in the log.
    const ledger = await scene.settle()
    const { entries } = ledger
    comeUp(model, scene, ledger)
    for (const [index, one] of model.approvals.entries()) {
      const entry = entries.get(at(scene.asked, index).approval)
      one.expiresMs = entry?.expiresMs ?? 0
      const [end] = entry?.ends ?? []
      if (end && one.outcome === undefined) {
        one.outcome = outcomeOf(end)
        // Only time ends what was no part of this.
        if (one !== known) expect(one.outcome).toBe('timed_out')
      }
    }
  }
  toString(): string {
    return `at once of ${this.#which}: ${this.#rivals.map((rival) => JSON.stringify(rival)).join(' ')}`
  }
}

async function take(rival: Rival, asked: AskedOf, known: ModelApproval, scene: Scene): Promise<void> {
  const { approval } = asked
  switch (rival.do) {
    case 'decide': {
      const digest = rival.shown === 'it' ? asked.digest : '0'.repeat(64)
      await scene.decide(whoOf(scene, rival.who), decisionOf(asked, rival.verdict, digest))
      return
    }
    case 'extend': {
      const untilMs = (known.openedMs === undefined ? scene.nowMs : known.expiresMs) + 20 * second
      const data = { approval, until: new Date(untilMs).toISOString() }
      await scene.stage.eli.say(uuidV7(), scene.agent.stream, 'approval.extend', data)
      return
    }
    case 'recall':
      await scene.stage.eli.say(uuidV7(), scene.agent.stream, 'approval.recall', { approval })
      return
    case 'withdraw':
      await scene.agent.report({ type: 'approval.cancelled', data: { approval, reason: 'agent_withdrew' } })
      return
    case 'cut':
      scene.agent.cut()
      return
    case 'let time run out':
      if (known.outcome === undefined && known.expiresMs - scene.nowMs < minute) {
        await scene.pass(Math.max(0, known.expiresMs - scene.nowMs))
      }
      return
    case 'crash':
      await scene.stage.crash(rival.downMs)
      return
    case 'kill the machine':
      await scene.agent.restart('kept')
  }
}

/** Those that happen at once. */
export const rivals = fc
  .uniqueArray(
    fc.oneof(
      {
        weight: 5,
        arbitrary: fc.record({
          do: fc.constant('decide' as const),
          who: anyone,
          verdict: verdicts,
          shown: fc.constantFrom('it' as const, 'it' as const, 'nothing' as const),
        }),
      },
      {
        weight: 4,
        arbitrary: fc.record({
          do: fc.constantFrom(
            'extend' as const,
            'recall' as const,
            'withdraw' as const,
            'cut' as const,
            'let time run out' as const,
            'kill the machine' as const,
          ),
        }),
      },
      { weight: 1, arbitrary: fc.record({ do: fc.constant('crash' as const), downMs: downs }) },
    ),
    { minLength: 2, maxLength: 5, selector: (rival) => (rival.do === 'decide' ? JSON.stringify(rival) : rival.do) },
  )
  // A machine is killed with its line, and a server with the timers that one would wait for.
  .filter((list) => {
    const has = (what: Rival['do']): boolean => list.some((rival) => rival.do === what)
    return (
      !(has('kill the machine') && (has('cut') || has('crash') || has('withdraw'))) &&
      !(has('crash') && has('let time run out'))
    )
  })
