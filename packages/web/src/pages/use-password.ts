import type { Problem } from '@hotline/protocol/error'
import { useState } from 'react'
import { ask } from '../live/ask.ts'

/** What became of a command or a request. */
type Outcome = { ok: true } | { ok: false; problem: Problem }

/** A form that asks for the password where the server does. */
export interface PasswordForm {
  /** Whether the field for it is shown, named `password`. */
  isAsked: boolean
  problem: Problem | undefined
  say: (problem: Problem | undefined) => void
  /** Confirms the password where the form has one, and sends; true once it is accepted. */
  send: (said: FormData, act: () => Promise<Outcome>) => Promise<boolean>
}

/** What a form needs whose command may take the password once more. */
export function usePassword(): PasswordForm {
  const [isAsked, setIsAsked] = useState(false)
  const [problem, setProblem] = useState<Problem>()

  async function send(said: FormData, act: () => Promise<Outcome>): Promise<boolean> {
    const password = said.get('password')
    if (typeof password === 'string') {
      const confirmed = await ask('POST', '/api/auth/confirm', { password })
      if (!confirmed.ok) {
        setProblem(confirmed.problem)
        return false
      }
    }
    const outcome = await act()
    const isNeeded = !outcome.ok && outcome.problem.code === 'password_needed'
    setIsAsked(isNeeded)
    setProblem(outcome.ok || isNeeded ? undefined : outcome.problem)
    return outcome.ok
  }

  return { isAsked, problem, say: setProblem, send }
}
