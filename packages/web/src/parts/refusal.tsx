import type { ReactNode } from 'react'

/** Why what was tried was refused; read out at once. `look`: how it stands where it is. */
export function Refusal({
  problem,
  look,
}: {
  problem: { detail: string } | undefined
  look?: 'facts' | 'notice' | 'small'
}): ReactNode {
  if (!problem) return null
  return (
    <p className={look === undefined ? 'danger' : `${look} danger`} role="alert">
      {problem.detail}
    </p>
  )
}
