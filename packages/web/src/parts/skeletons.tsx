import type { ReactNode } from 'react'

/** Widths as titles and evidence have them, in per cent. */
const rowWidths = [
  [62, 44],
  [78, 36],
  [48, 52],
  [70, 30],
] as const

function Bone({ width, height }: { width: string; height?: number }): ReactNode {
  return <span className="bone" style={height === undefined ? { width } : { width, height }} />
}

/** The list while it is read: as many lines in a row as there will be. */
export function ListSkeleton(): ReactNode {
  return (
    <div aria-busy="true" aria-label="Loading sessions" role="status">
      {rowWidths.map(([title, what]) => (
        <div key={title} className="row bones">
          <Bone width={`${title}%`} />
          <Bone width="32px" />
          <span className="what">
            <Bone width={`${what}%`} height={10} />
          </span>
        </div>
      ))}
    </div>
  )
}

/** A session while it is read: head, conversation and the place where one writes. */
export function SessionSkeleton(): ReactNode {
  return (
    <div className="session" aria-busy="true" aria-label="Loading the session" role="status">
      <header>
        <div className="name bones">
          <Bone width="220px" />
          <Bone width="160px" height={10} />
        </div>
      </header>
      <div className="view">
        <div>
          {['76%', '58%', '40%'].map((width) => (
            <div key={width} className="item bones">
              <Bone width="72px" height={10} />
              <Bone width={width} />
            </div>
          ))}
        </div>
      </div>
      <div className="compose">
        <div className="inner">
          <Bone width="100%" height={44} />
          <div className="small below">
            <span className="how">&nbsp;</span>
          </div>
        </div>
      </div>
      <aside className="context bones" aria-hidden="true">
        {['50%', '80%', '66%', '72%'].map((width) => (
          <Bone key={width} width={width} />
        ))}
      </aside>
    </div>
  )
}

/** The whole page before it is known who is signed in. */
export function FrameSkeleton(): ReactNode {
  return (
    <div className="frame" aria-busy="true" aria-label="Loading Hotline" role="status">
      <div className="rail">
        <div className="brand">
          <span aria-hidden="true">●</span> Hotline
        </div>
      </div>
      <div className="list" />
      <div className="detail" />
    </div>
  )
}
