import type { ReactNode } from 'react'

/** A fact in a list of them. What is not known is left out. */
export function Fact({ name, children }: { name: string; children: ReactNode }): ReactNode {
  if (children === undefined || children === '' || children === false) return undefined
  return (
    <>
      <dt>{name}</dt>
      <dd>{children}</dd>
    </>
  )
}
