import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'

// What V8's sampler saw, summed up in two ways: by the function that ran, and by the nearest function of ours on the
// stack, so that what libraries and the system did counts for whoever asked for it. A call that waits (a commit for the
// disk) counts as if it ran; `(program)` is native code outside of any function. Idle time is left out.

interface ProfileNode {
  id: number
  callFrame: { functionName: string; url: string; lineNumber: number }
  children?: readonly number[]
}

/** A CPU profile, as `node --cpu-prof` writes it. */
export interface CpuProfile {
  nodes: readonly ProfileNode[]
  samples: readonly number[]
  timeDeltas: readonly number[]
}

/** A function and the time that counts for it. */
export interface HotFunction {
  where: string
  ms: number
  /** Of the time that was not idle. */
  share: number
}

/** The same time by the functions that ran, and by the functions of ours that asked for it; the hottest first. */
export function hottestFunctions(profile: CpuProfile): { self: HotFunction[]; ours: HotFunction[] } {
  const owners = ownersOf(profile.nodes)
  const self = new Map<string, number>()
  const ours = new Map<string, number>()
  for (const [index, id] of profile.samples.entries()) {
    const found = owners.get(id)
    if (found === undefined || found.self === '(idle)' || found.self === '(root)') continue
    const us = profile.timeDeltas[index] ?? 0
    self.set(found.self, (self.get(found.self) ?? 0) + us)
    ours.set(found.ours, (ours.get(found.ours) ?? 0) + us)
  }
  return { self: rank(self), ours: rank(ours) }
}

function rank(us: ReadonlyMap<string, number>): HotFunction[] {
  const total = [...us.values()].reduce((sum, value) => sum + value, 0)
  return [...us]
    .toSorted(([, a], [, b]) => b - a)
    .map(([where, value]) => ({ where, ms: value / 1_000, share: value / total }))
}

/** For each node its own function and the nearest one of ours above it; where there is none, its own. */
function ownersOf(nodes: readonly ProfileNode[]): Map<number, { self: string; ours: string }> {
  const byId = new Map(nodes.map((node) => [node.id, node]))
  const owners = new Map<number, { self: string; ours: string }>()
  const visit = (node: ProfileNode, above: string | undefined): void => {
    const self = nameOf(node.callFrame)
    const ours = isOurs(node.callFrame.url) ? self : above
    owners.set(node.id, { self, ours: ours ?? self })
    for (const child of node.children ?? []) {
      const next = byId.get(child)
      if (next !== undefined) visit(next, ours)
    }
  }
  const [root] = nodes
  if (root !== undefined) visit(root, undefined)
  return owners
}

function isOurs(url: string): boolean {
  return /^file:.*\/(packages|bench)\/[^/]*\/?src\//.test(url) && !url.includes('/node_modules/')
}

function nameOf({ functionName, url, lineNumber }: ProfileNode['callFrame']): string {
  const name = functionName === '' ? '(anonymous)' : functionName
  return url === ''
    ? name
    : `${name} ${url.replace(/^file:.*\/(?=(packages|bench|node_modules)\/)/, '')}:${lineNumber + 1}`
}

const shownFunctions = 15
/** Threads that did less are not shown. */
const leastMs = 100

/** The hottest functions of every profile below a directory, as text. A thread has a profile of its own. */
export async function describeProfiles(directory: string): Promise<string> {
  const names = (await readdir(directory, { recursive: true })).filter((name) => name.endsWith('.cpuprofile'))
  const parts = await Promise.all(names.toSorted().map((name) => describeProfile(directory, name)))
  return parts.filter((part) => part !== '').join('\n')
}

async function describeProfile(directory: string, name: string): Promise<string> {
  const { self, ours } = hottestFunctions(JSON.parse(await readFile(join(directory, name), 'utf8')) as CpuProfile)
  const busyMs = self.reduce((sum, { ms }) => sum + ms, 0)
  if (busyMs < leastMs) return ''
  return [
    `${name}, ${busyMs.toFixed(0)} ms`,
    ' by what ran',
    ...list(self),
    ' by what of ours asked',
    ...list(ours),
    '',
  ].join('\n')
}

function list(functions: readonly HotFunction[]): string[] {
  return functions
    .slice(0, shownFunctions)
    .map(({ where, ms, share }) => `${(share * 100).toFixed(1).padStart(6)} %${ms.toFixed(0).padStart(7)} ms  ${where}`)
}
