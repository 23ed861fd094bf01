import type { ReactNode } from 'react'

const colours = [
  'ground',
  'surface',
  'raised',
  'line',
  'line-strong',
  'text',
  'quiet',
  'person',
  'person-ground',
  'agent',
  'needs',
  'needs-ground',
  'needs-line',
  'danger',
  'done',
] as const
const typePx = [12, 13, 14, 16, 20, 28] as const
const spacePx = [4, 8, 12, 16, 24, 32, 48] as const

/** Colours, type and space, as they are drawn now. */
export function Tokens(): ReactNode {
  return (
    <>
      <section className="part">
        <h2>Colours</h2>
        <div className="swatches">
          {colours.map((name) => (
            <div key={name} className="swatch">
              <span style={{ background: `var(--${name})` }} aria-hidden="true" />
              <span className="small">{name}</span>
            </div>
          ))}
        </div>
      </section>
      <section className="part">
        <h2>Type and space</h2>
        {typePx.map((px) => (
          <p key={px} style={{ fontSize: px }}>
            {px} Nothing was lost: 0123456789
          </p>
        ))}
        <p className="mono">13 mono: npm publish --tag next 0O 1lI</p>
        <div className="samples">
          {spacePx.map((px) => (
            <span key={px} className="space" style={{ width: px }} title={`${px} px`} />
          ))}
        </div>
      </section>
    </>
  )
}
