import { execFileSync } from 'node:child_process'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { type NotDone, openWorkspaces } from '@hotline/runner/workspace/workspaces'
import { quantile } from '../statistics.ts'

// A repository of many files, of which an agent changes ten again and again: how long it takes to see that. `status` is git as
// a person types it; `snapshot` is what a session does after each step; `undo` is the preview and the going back.

const perFolder = 100
const changed = 10
const minRounds = 3

const { values } = parseArgs({
  options: {
    what: { type: 'string', default: 'status' },
    files: { type: 'string', default: '1000' },
    'window-ms': { type: 'string', default: '1000' },
    directory: { type: 'string', default: '' },
  },
  strict: true,
})
const count = Number(values.files)
const root = join(values.directory, 'work')
const env = { PATH: process.env['PATH'], HOME: values.directory, GIT_CONFIG_NOSYSTEM: '1', LC_ALL: 'C' }

function nameOf(file: number): string {
  return join(`folder-${Math.floor(file / perFolder)}`, `file-${file}.ts`)
}

function git(...args: string[]): string {
  return execFileSync('git', ['-C', root, ...args], { env, encoding: 'utf8', maxBuffer: 64 * 1024 * 1024 })
}

function makeRepository(): void {
  for (let file = 0; file < count; file++) {
    if (file % perFolder === 0) mkdirSync(join(root, `folder-${file / perFolder}`), { recursive: true })
    writeFileSync(join(root, nameOf(file)), `export const number${file} = ${file}\n`.repeat(1 + (file % 20)))
  }
  git('init', '--quiet')
  // It would go on in the background after the commit.
  git('config', 'gc.auto', '0')
  git('config', 'maintenance.auto', 'false')
  git('add', '--all')
  git('-c', 'user.name=bench', '-c', 'user.email=bench@localhost', 'commit', '--quiet', '-m', 'all of it')
}

/** Files that lie far from each other. */
const targets = Array.from({ length: changed }, (_, at) => nameOf(Math.floor((at * count) / changed)))

function change(round: number): void {
  for (const name of targets) writeFileSync(join(root, name), `// ${round} ${'x'.repeat(round % 50)}\n`)
}

function must<T>(done: { ok: true; outcome: T } | NotDone): T {
  if (done.ok) return done.outcome
  throw new Error(`${done.why}: ${done.note}`)
}

interface Way extends AsyncDisposable {
  /** Everything before it is timed. */
  prepare(): Promise<void>
  /** How many files it saw. */
  once(): Promise<number>
}

async function openWay(): Promise<Way> {
  if (values.what === 'status') {
    return {
      prepare: () => Promise.resolve(),
      once: () => Promise.resolve(git('status', '--porcelain').trim().split('\n').length),
      [Symbol.asyncDispose]: () => Promise.resolve(),
    }
  }
  const workspaces = openWorkspaces({ folder: join(values.directory, 'stores'), path: env.PATH, never: [] })
  const files = workspaces.open('bench', root)
  const snapshot = async (): Promise<number> =>
    must(await files.snapshot({ moment: 'step_finished', by: 'agent', step: 'step' })).snapshots.at(-1)?.changedCount ??
    0
  must(await files.snapshot({ moment: 'start', by: 'other' }))
  const close = async (): Promise<void> => await workspaces[Symbol.asyncDispose]()
  if (values.what === 'snapshot') {
    return { prepare: () => Promise.resolve(), once: snapshot, [Symbol.asyncDispose]: close }
  }
  const wish = { moment: 'undo', by: 'other' } as const
  return {
    prepare: async () => void (await snapshot()),
    once: async () => {
      const { preview } = must(await files.plan(wish, {}))
      const { done } = must(await files.apply(wish, {}, { digest: preview.digest, also: [], except: [] }))
      return done?.files.filter(({ outcome }) => outcome === 'restored').length ?? 0
    },
    [Symbol.asyncDispose]: close,
  }
}

function say(line: Record<string, unknown>): void {
  process.stdout.write(`${JSON.stringify(line)}\n`)
}

makeRepository()
const way = await openWay()
try {
  const took: number[] = []
  let missed = 0
  say({ phase: 'window' })
  const endMs = performance.now() + Number(values['window-ms'])
  // The first one reads what later ones remember.
  for (let round = 0; round <= minRounds || performance.now() < endMs; round++) {
    change(round)
    await way.prepare()
    const before = performance.now()
    const seen = await way.once()
    if (round > 0) took.push(performance.now() - before)
    if (seen !== changed) missed += 1
  }
  say({ phase: 'stop' })
  const sorted = Float64Array.from(took).toSorted()
  const failure = missed > 0 ? `${missed} rounds saw another number of files than ${changed}` : ''
  say({ phase: 'result', p50Ms: quantile(sorted, 0.5), maxMs: quantile(sorted, 1), failure })
} finally {
  await way[Symbol.asyncDispose]()
}
