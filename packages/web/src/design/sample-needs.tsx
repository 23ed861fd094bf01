import { type ReactNode, useState } from 'react'
import { inOrder, type Need, withHeadings } from '../needs/arrange-asks.ts'
import { NeedRow } from '../needs/need-row.tsx'

function sampleNeeds(): readonly Need[] {
  const need = (key: string, minutes: number, more: Partial<Need>): Need => ({
    key,
    kind: 'approval',
    session: `sample-${key}`,
    project: 'default',
    agent: 'demo',
    title: 'Fix the login redirect',
    since: new Date(Date.now() - minutes * 60_000).toISOString(),
    risk: 'medium',
    subAgent: null,
    line: `git commit -m ${key}`,
    isExact: true,
    shape: 'git commit …',
    ...more,
  })
  return inOrder([
    need('one', 5, {}),
    need('two', 2, {}),
    need('high', 1, { risk: 'high', line: 'npm publish --tag next', shape: 'npm publish …', subAgent: 'tester' }),
    need('low', 9, { risk: 'low', line: 'ls -la', shape: 'ls …' }),
    need('ask', 12, { kind: 'question', risk: null, line: 'Which region?', isExact: false, shape: undefined }),
    need('spent', 3, { kind: 'budget', risk: null, line: 'Its budget is used up', isExact: false, shape: undefined }),
  ])
}

/** What needs somebody, in each state of its lines. */
export function SampleNeeds(): ReactNode {
  const [entries] = useState(() => withHeadings(sampleNeeds()))
  return entries.map((entry) =>
    'need' in entry ? (
      <NeedRow
        key={entry.need.key}
        need={entry.need}
        isGrouped={entry.isGrouped}
        isOpen={false}
        standing={entry.need.key === 'low' ? 'gone' : 'open'}
        isMarked={entry.need.key === 'two'}
        now={Date.now()}
        showProject={undefined}
      />
    ) : (
      <h3 key={entry.key} className="small">
        <span className="mono">{entry.heading}</span> ×{entry.count}
      </h3>
    ),
  )
}
