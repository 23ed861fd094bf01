import type { ApprovalItem } from '@hotline/core/transcript/item'
import type { CommandInput } from '@hotline/protocol/command'
import type { Scope, Verdict } from '@hotline/protocol/events/approval'
import type { Problem } from '@hotline/protocol/error'
import type { PolicyRuleText } from '@hotline/protocol/policy'
import { useState } from 'react'

/** Sends a decision; answers why it was refused. */
export type Decide = (data: CommandInput<'approval.decide'>) => Promise<Problem | undefined>

/** Writes a rule of the project; answers why it was refused. */
export type Remember = (rule: PolicyRuleText) => Promise<Problem | undefined>

/** An answer on its way, and why the one before was refused. */
export interface Decision {
  pending: Verdict | undefined
  problem: Problem | undefined
  /** Why the rule was not written that should allow the same again; it was allowed all the same. */
  unwritten: Problem | undefined
  answer: (verdict: Verdict, scope?: Scope) => void
  /** Allows it, and from then on whatever the rule says. */
  allowByRule: (rule: PolicyRuleText) => void
}

/** What is sent for a card: one answer at a time, with the digest of what it shows. */
export function useDecision(
  { approval, digest }: ApprovalItem,
  { decide, remember }: { decide: Decide; remember: Remember },
  { reason, edited }: { reason: string; edited: string | undefined },
): Decision {
  const [pending, setPending] = useState<Verdict>()
  const [problem, setProblem] = useState<Problem>()
  const [unwritten, setUnwritten] = useState<Problem>()

  async function send(verdict: Verdict, scope: Scope): Promise<Problem | undefined> {
    setPending(verdict)
    setProblem(undefined)
    const refusal = await decide({
      approval,
      digest,
      verdict,
      scope,
      ...(verdict === 'modify' ? { input: edited ?? '' } : {}),
      ...(reason.trim() === '' ? {} : { reason: reason.trim() }),
    })
    // The line in the log folds the card; a refusal brings the buttons back and says why.
    if (refusal) {
      setPending(undefined)
      setProblem(refusal)
    }
    return refusal
  }
  /** The answer first: the rule would answer what is open as well, and then nobody could say whose answer it was. */
  async function rule({ effect, match }: PolicyRuleText): Promise<void> {
    if (await send('allow', 'once')) return
    // Its end is the server's to set.
    setUnwritten(await remember({ effect, match }))
  }
  return {
    pending,
    problem,
    unwritten,
    answer: (verdict, scope = 'once') => {
      if (!pending) void send(verdict, scope)
    },
    allowByRule: (text) => {
      if (!pending) void rule(text)
    },
  }
}
