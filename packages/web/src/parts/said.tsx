import type { ReactNode } from 'react'
import { OutLink } from '../markdown/spans.tsx'
import { findAddresses } from '../text/address.ts'
import { Legible } from './legible.tsx'

/** What a person said, as it was typed; web addresses in it can be followed. */
export function Said({ text }: { text: string }): ReactNode {
  return (
    <div className="said">
      {findAddresses(text).map((part, index) =>
        typeof part === 'string' ? (
          // oxlint-disable-next-line react/no-array-index-key -- parts of one text have no other name
          <Legible key={index} text={part} place="prose" />
        ) : (
          // oxlint-disable-next-line react/no-array-index-key -- parts of one text have no other name
          <OutLink key={index} address={part} honest>
            {part.label}
          </OutLink>
        ),
      )}
    </div>
  )
}
