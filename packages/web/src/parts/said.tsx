import { type ReactNode, useMemo } from 'react'
import { CopyButton } from './copy-button.tsx'
import { readMarkup, type Span } from '../text/markup.ts'

/** What somebody said: paragraphs, lists, code, and links with their host. Never HTML, never images. */
export function Said({ text }: { text: string }): ReactNode {
  const blocks = useMemo(() => readMarkup(text), [text])
  return (
    <div className="said">
      {blocks.map((block, index) => {
        // Blocks of one text have no other name than their place.
        const key = String(index)
        switch (block.kind) {
          case 'code':
            return (
              <div key={key} className="code">
                <pre tabIndex={0}>{block.text}</pre>
                <CopyButton text={block.text} what="code" />
              </div>
            )
          case 'list':
            return (
              <div key={key}>
                {block.items.map((item, at) => (
                  <div key={String(at)} style={{ paddingLeft: 16 * (item.depth + 1) }}>
                    {item.marker} <Spans spans={item.spans} />
                  </div>
                ))}
              </div>
            )
          case 'heading':
            return (
              <p key={key}>
                <strong>
                  <Spans spans={block.spans} />
                </strong>
              </p>
            )
          case 'paragraph':
            return (
              <p key={key}>
                <Spans spans={block.spans} />
              </p>
            )
        }
      })}
    </div>
  )
}

function Spans({ spans }: { spans: readonly Span[] }): ReactNode {
  return spans.map((span, index) => {
    const key = String(index)
    switch (span.kind) {
      case 'text':
        return span.text
      case 'code':
        return <code key={key}>{span.text}</code>
      case 'strong':
        return <strong key={key}>{span.text}</strong>
      case 'link':
        return (
          <a key={key} href={span.href} rel="noreferrer noopener" target="_blank">
            {span.label}
            {span.host !== undefined && ` (${span.host})`}
          </a>
        )
    }
  })
}
