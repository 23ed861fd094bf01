import { expect, test } from 'vitest'
import { type CpuProfile, hottestFunctions } from '../src/profile.ts'

function node(id: number, functionName: string, url: string, children: readonly number[]): CpuProfile['nodes'][number] {
  return { id, callFrame: { functionName, url, lineNumber: 9 }, children }
}

test('time counts for the function that ran, and for the nearest one of ours that asked for it', () => {
  const profile: CpuProfile = {
    nodes: [
      node(1, '(root)', '', [2, 3, 6]),
      node(2, '(idle)', '', []),
      node(3, 'flush', 'file:///somewhere/packages/server/src/feed/stream-feed.ts', [4]),
      node(4, 'send', 'file:///somewhere/node_modules/ws/lib/sender.js', [5]),
      node(5, 'writeBuffer', '', []),
      node(6, 'writeBuffer', '', []),
    ],
    samples: [2, 3, 4, 5, 6],
    timeDeltas: [9_000, 1_000, 2_000, 4_000, 3_000],
  }
  const { self, ours } = hottestFunctions(profile)
  expect(self).toEqual([
    { where: 'writeBuffer', ms: 7, share: 0.7 },
    { where: 'send node_modules/ws/lib/sender.js:10', ms: 2, share: 0.2 },
    { where: 'flush packages/server/src/feed/stream-feed.ts:10', ms: 1, share: 0.1 },
  ])
  expect(ours).toEqual([
    { where: 'flush packages/server/src/feed/stream-feed.ts:10', ms: 7, share: 0.7 },
    { where: 'writeBuffer', ms: 3, share: 0.3 },
  ])
})
