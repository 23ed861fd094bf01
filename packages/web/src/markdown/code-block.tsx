import { memo, type ReactNode, useEffect, useState } from 'react'
import { CopyButton } from '../parts/copy-button.tsx'
import { Legible } from '../parts/legible.tsx'
import type { Coloured } from './highlight.ts'

/** Laid out at once; a page with more of it stops answering. */
const charsAtOnce = 60_000
/** Above this colours cost more than they tell. */
const colouredChars = 30_000

/** Code in a frame of its own: long lines and long texts scroll inside of it. Colours come when it is whole. */
export const CodeBlock: (props: { language: string; text: string; open: boolean }) => ReactNode = memo(
  function CodeBlock({ language, text, open }: { language: string; text: string; open: boolean }): ReactNode {
    const [shown, setShown] = useState(charsAtOnce)
    const pieces = useColours(text, open || text.length > colouredChars ? '' : language)
    const left = text.length - shown
    return (
      <div className="code">
        <div className="head">
          <span className="small quiet">{language}</span>
          <CopyButton text={text} what="code" />
        </div>
        {/* oxlint-disable-next-line jsx-a11y/no-noninteractive-tabindex -- it scrolls, so the keyboard must reach it */}
        <pre tabIndex={0} role="group" aria-label={language === '' ? 'Code' : `Code in ${language}`}>
          {pieces ? (
            pieces.map((piece, index) => (
              <span key={String(index)} className={piece.look && `look-${piece.look}`}>
                <Legible text={piece.text} place="code" />
              </span>
            ))
          ) : (
            <Legible text={left > 0 ? text.slice(0, shown) : text} place="code" />
          )}
        </pre>
        {left > 0 && (
          <button type="button" className="button plain" onClick={() => setShown(shown + charsAtOnce)}>
            {`Show more (${Math.ceil((100 * left) / text.length)} % is left)`}
          </button>
        )}
      </div>
    )
  },
)

/** The pieces of a code, once what tells them apart is here; the first block of a page fetches it. */
function useColours(text: string, language: string): readonly Coloured[] | undefined {
  const [found, setFound] = useState<{ text: string; pieces: readonly Coloured[] | undefined }>()
  useEffect(() => {
    if (language === '' || text === '') return undefined
    let left = false
    void import('./highlight.ts').then(
      ({ colour }) => {
        if (!left) setFound({ text, pieces: colour(text, language) })
      },
      // Without colours it is as readable as before.
      () => undefined,
    )
    return () => {
      left = true
    }
  }, [text, language])
  return found?.text === text ? found.pieces : undefined
}
