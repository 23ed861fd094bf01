import { memo, type ReactNode, useMemo } from 'react'
import { Legible } from '../parts/legible.tsx'
import type { Address } from '../text/address.ts'
import { type References, readInline, type Span } from './inline.ts'

/** The inside of a paragraph, drawn anew only when its words change. */
export const Inline: (props: { text: string; references: References }) => ReactNode = memo(function Inline({
  text,
  references,
}: {
  text: string
  references: References
}): ReactNode {
  const spans = useMemo(() => readInline(text, references), [text, references])
  return <Spans spans={spans} />
})

function Spans({ spans }: { spans: readonly Span[] }): ReactNode {
  return spans.map((span, index) => {
    // Spans of one text have no other name than their place.
    const key = String(index)
    switch (span.kind) {
      case 'text':
        return <Legible key={key} text={span.text} place="prose" />
      case 'code':
        return (
          <code key={key}>
            <Legible text={span.text} place="code" />
          </code>
        )
      case 'break':
        return <br key={key} />
      case 'strong':
        return (
          <strong key={key}>
            <Spans spans={span.spans} />
          </strong>
        )
      case 'em':
        return (
          <em key={key}>
            <Spans spans={span.spans} />
          </em>
        )
      case 'strike':
        return (
          <del key={key}>
            <Spans spans={span.spans} />
          </del>
        )
      case 'link':
        return (
          <OutLink key={key} address={span.address} honest={span.honest}>
            <Spans spans={span.spans} />
          </OutLink>
        )
      case 'image':
        return <NoImage key={key} alt={span.alt} address={span.address} />
    }
  })
}

/** A way out of the page: it opens elsewhere, tells nobody from where, and says where it leads. */
export function OutLink({
  address,
  honest,
  children,
}: {
  address: Address
  /** What is read says it already. */
  honest: boolean
  children: ReactNode
}): ReactNode {
  return (
    <a href={address.href} rel="noreferrer noopener nofollow" target="_blank" title={address.href}>
      {children}
      {!honest && <bdi className="where"> ({address.where})</bdi>}
    </a>
  )
}

/** An image is never loaded, for asking for it would tell its server: its words, and a way to it. */
function NoImage({ alt, address }: { alt: string; address: Address | undefined }): ReactNode {
  const words = (
    <>
      image{alt.trim() !== '' && ': '}
      <Legible text={alt} place="prose" />
    </>
  )
  return address ? (
    <OutLink address={address} honest={false}>
      {words}
    </OutLink>
  ) : (
    <span className="quiet">[{words}]</span>
  )
}
