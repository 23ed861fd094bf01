import { execFileSync } from 'node:child_process'
import {
  chmodSync,
  existsSync,
  linkSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { Worker } from 'node:worker_threads'
import { randomSeed, seededRandom, type SeededRandom } from '@hotline/testing/seed'
import { expect, test } from 'vitest'
import { standardBounds } from '../src/workspace/bounds.ts'
import { HeldFolder } from '../src/workspace/held-folder.ts'
import { blobOid } from '../src/workspace/read-entry.ts'
import { putBack } from '../src/workspace/put-back.ts'
import { openWorkspaces } from '../src/workspace/workspaces.ts'
import { sweepStores } from '../src/workspace/sweep.ts'
import { type KeptFolder, keepFolder, must } from './keep-files.ts'

const start = { moment: 'start', by: 'other' } as const
const agent = { moment: 'turn_ended', by: 'agent' } as const
const other = { moment: 'turn_started', by: 'other' } as const

/** Everything below a folder as it is: kind, rights and bytes, by its path. */
function picture(root: string, folder = ''): Map<string, string> {
  const found = new Map<string, string>()
  for (const name of readdirSync(join(root, folder))) {
    const path = folder === '' ? name : `${folder}/${name}`
    const at = join(root, path)
    const stats = lstatSync(at)
    if (stats.isSymbolicLink()) found.set(path, `-> ${readlinkSync(at)}`)
    else if (stats.isDirectory()) for (const [inside, what] of picture(root, path)) found.set(inside, what)
    else if (stats.isFile()) found.set(path, `${(stats.mode & 0o777).toString(8)} ${readFileSync(at, 'latin1')}`)
  }
  return found
}

test('[UN7] content, rights, links, renames, removals and folders that became files come back as they were', async () => {
  await using kept = await keepFolder()
  const { root } = kept
  const write = (path: string, text: string | Buffer): void => {
    mkdirSync(join(root, path, '..'), { recursive: true })
    writeFileSync(join(root, path), text)
  }
  write('plain.txt', 'one\r\ntwo\n')
  write('bytes.bin', Buffer.from([0, 255, 254, 13, 10, 0]))
  write('secret.env', 'KEY=1\n')
  chmodSync(join(root, 'secret.env'), 0o600)
  write('run.sh', 'true\n')
  chmodSync(join(root, 'run.sh'), 0o755)
  write('.gitignore', 'ignored\n')
  write('ignored/cache.txt', 'ignored by git\n')
  write('old-name.txt', 'moves\n')
  write('folder/inside/deep.txt', 'deep\n')
  write('odd "name"\\\n\u00e9\u0001.txt', 'odd\n')
  write('becomes-folder', 'a file\n')
  symlinkSync('plain.txt', join(root, 'link'))
  symlinkSync('/nowhere/at/all', join(root, 'dangling'))
  const before = picture(root)
  await kept.take(start)

  writeFileSync(join(root, 'plain.txt'), 'ONE\r\nTWO\n')
  writeFileSync(join(root, 'bytes.bin'), Buffer.from([1]))
  rmSync(join(root, 'secret.env'))
  chmodSync(join(root, 'run.sh'), 0o640)
  write('ignored/cache.txt', 'changed\n')
  renameSync(join(root, 'old-name.txt'), join(root, 'new-name.txt'))
  rmSync(join(root, 'folder'), { recursive: true })
  symlinkSync('/etc', join(root, 'folder'))
  rmSync(join(root, 'odd "name"\\\n\u00e9\u0001.txt'))
  rmSync(join(root, 'becomes-folder'))
  write('becomes-folder/file.txt', 'now a folder\n')
  rmSync(join(root, 'link'))
  symlinkSync('bytes.bin', join(root, 'link'))
  write('made/by/agent.txt', 'new\n')
  const after = picture(root)
  await kept.take(agent)

  const { done } = await kept.undo()
  expect(done?.files.filter(({ outcome }) => outcome === 'kept')).toEqual([])
  expect(picture(root)).toEqual(before)
  expect(existsSync(join(root, 'made'))).toBe(false)

  await kept.undo({ checkpoint: done?.before })
  expect(picture(root)).toEqual(after)
})

test('[UN7] [P08] a hard link to a file elsewhere is replaced, never written through', async () => {
  await using kept = await keepFolder()
  const { root, outside } = kept
  writeFileSync(join(root, 'a.txt'), 'before\n')
  await kept.take(start)
  rmSync(join(root, 'a.txt'))
  writeFileSync(join(outside, 'precious'), 'precious\n')
  linkSync(join(outside, 'precious'), join(root, 'a.txt'))
  await kept.take(agent)
  await kept.undo()
  expect(readFileSync(join(root, 'a.txt'), 'utf8')).toBe('before\n')
  expect(readFileSync(join(outside, 'precious'), 'utf8')).toBe('precious\n')
})

test('[UN8] [T64] [GI41] what is not kept is named, what is too much is no snapshot, and nothing that was kept is forgotten', async () => {
  const small = { ...standardBounds, files: 20, fileBytes: 1_000, bytes: 3_000 }
  await using kept = await keepFolder({ bounds: small })
  const { root } = kept
  mkdirSync(join(root, 'node_modules'))
  writeFileSync(join(root, 'node_modules/x.js'), 'x')
  mkdirSync(join(root, 'cache'))
  writeFileSync(join(root, 'cache/CACHEDIR.TAG'), 'Signature: 8a477f597d28d172789f06886806bc55')
  mkdirSync(join(root, 'src'))
  writeFileSync(join(root, 'src/a.txt'), 'a')
  writeFileSync(join(root, 'src/large.bin'), Buffer.alloc(1_001))
  execFileSync('mkfifo', [join(root, 'pipe')])
  writeFileSync(Buffer.concat([Buffer.from(`${root}/`), Buffer.from([0xff, 0x41])]), 'no text')
  const { snapshots } = await kept.take(start)
  expect(snapshots[0]?.leftOut.map(({ path, why }) => `${path.replace('\ufffd', '?')}: ${why}`).toSorted()).toEqual([
    '?A: has a name that is no text',
    'cache: says that it is a cache',
    'node_modules: is made anew by the tools of the project',
    'pipe: is no ordinary file',
  ])

  // An agent that hides a folder behind a tag or a repository of its own hides nothing.
  writeFileSync(join(root, 'src/CACHEDIR.TAG'), 'Signature: 8a477f597d28d172789f06886806bc55')
  mkdirSync(join(root, 'src/.git'))
  writeFileSync(join(root, 'src/a.txt'), 'hidden')
  writeFileSync(join(root, 'src/large.bin'), Buffer.alloc(1_002))
  await kept.take(agent)
  const { preview } = must(await kept.files.plan({ moment: 'undo', by: 'other' }, {}))
  expect(preview.files.map(({ path }) => path)).toEqual(['src/CACHEDIR.TAG', 'src/a.txt'])
  expect(preview.cannot.join('\n')).toContain('src/large.bin: too large')

  for (let at = 0; at < 4; at += 1) writeFileSync(join(root, `big${at}`), Buffer.alloc(900, at))
  expect(await kept.files.snapshot(agent)).toMatchObject({ ok: false, why: 'skipped', code: 'bytes' })
  for (let at = 0; at < 4; at += 1) rmSync(join(root, `big${at}`))
  for (let at = 0; at < 20; at += 1) writeFileSync(join(root, `many${at}`), '')
  expect(await kept.files.snapshot(agent)).toMatchObject({ ok: false, why: 'skipped', code: 'files' })
  for (let at = 0; at < 20; at += 1) rmSync(join(root, `many${at}`))
  // The one before it still holds.
  expect((await kept.take(agent)).snapshots).toEqual([])
  await kept.undo()
  expect(readFileSync(join(root, 'src/a.txt'), 'utf8')).toBe('a')

  renameSync(root, `${root}-moved`)
  expect(await kept.files.snapshot(agent)).toMatchObject({ ok: false, why: 'skipped', code: 'folder' })
  renameSync(`${root}-moved`, root)
  await using slow = await keepFolder({ bounds: { ...standardBounds, timeMs: -1 } })
  expect(await slow.files.snapshot(start)).toMatchObject({ ok: false, why: 'skipped', code: 'time' })
})

const paths = ['a.txt', 'b.txt', 'd/c.txt', 'd/e/f.txt', 'd']

/** One change at random, as an agent or a person would make it. */
function change(root: string, random: SeededRandom, who: string, count: number): void {
  const at = join(root, random.pick(paths))
  try {
    const kind = random.int(0, 9)
    if (kind < 5) {
      mkdirSync(join(at, '..'), { recursive: true })
      if (random.chance(0.2)) rmSync(at, { recursive: true, force: true })
      writeFileSync(at, `${who} ${count}\n`)
    } else if (kind < 7) rmSync(at, { recursive: true, force: true })
    else if (kind < 8) chmodSync(at, random.pick([0o644, 0o755, 0o600]))
    else if (kind < 9) {
      rmSync(at, { recursive: true, force: true })
      symlinkSync(`${who}-${count}`, at)
    } else renameSync(at, join(root, random.pick(paths)))
  } catch {
    // Not possible as things lie there: then nothing happens.
  }
}

async function playHistory(kept: KeptFolder, random: SeededRandom): Promise<void> {
  const { root } = kept
  for (let at = 0; at < 5; at += 1) change(root, random, 'person', at)
  await kept.take(start)
  /** For each path what it was after each stretch, and whose stretch it was. */
  const seen: { by: 'agent' | 'other'; after: Map<string, string> }[] = [{ by: 'other', after: picture(root) }]
  for (let turn = 0; turn < random.int(1, 4); turn += 1) {
    for (let at = 0; at < random.int(0, 2); at += 1) change(root, random, 'person', turn * 10 + at)
    await kept.take(other)
    seen.push({ by: 'other', after: picture(root) })
    for (let at = 0; at < random.int(1, 4); at += 1) change(root, random, 'agent', turn * 10 + at)
    await kept.take(agent)
    seen.push({ by: 'agent', after: picture(root) })
  }
  for (let at = 0; at < random.int(0, 2); at += 1) change(root, random, 'person', 100 + at)
  seen.push({ by: 'other', after: picture(root) })

  const before = picture(root)
  const { done } = await kept.undo()
  const now = picture(root)
  for (const path of new Set([...before.keys(), ...now.keys()])) {
    if (before.get(path) === now.get(path)) continue
    // It changed: so the last to change it was the agent, and nobody else since the agent began with it.
    const states = seen.map(({ by, after }) => ({ by, is: after.get(path) }))
    const changes = states.flatMap(({ by, is }, at) => (at > 0 && is !== states[at - 1]?.is ? [{ by, at }] : []))
    const first = changes.find(({ by }) => by === 'agent')?.at ?? Number.NaN
    expect(states[first - 1]?.is, `${path} goes back to what was before the agent`).toBe(now.get(path))
    expect(changes.at(-1)?.by, `${path} was the agent's`).toBe('agent')
  }
  if (!done) return
  const { done: again } = await kept.undo({ checkpoint: done.before })
  expect(again?.files.filter(({ outcome }) => outcome === 'kept') ?? []).toEqual([])
  expect(picture(root)).toEqual(before)
}

test('[UN10] [T62] in random histories on a disk an undo changes nothing that others wrote, and undone twice all is as it was', async () => {
  const rounds = Number(process.env['HOTLINE_TEST_ROUNDS'] ?? 12)
  const random = seededRandom(randomSeed('undo histories'))
  await using first = await keepFolder()
  for (let round = 0; round < rounds; round += 1) {
    await using kept = await keepFolder({ workspaces: first.workspaces })
    await playHistory(kept, random.fork(`round ${round}`))
  }
})

test('[UN9] [T59] [P05] a folder on the way that is swapped for a link lets nothing out and nothing in', async () => {
  await using kept = await keepFolder()
  const { root, outside } = kept
  mkdirSync(join(root, 'd'))
  writeFileSync(join(root, 'd/a.txt'), 'before\n')
  writeFileSync(join(outside, 'a.txt'), 'precious\n')
  await kept.take(start)
  const forMs = Number(process.env['HOTLINE_TEST_MS'] ?? 700)
  // Two names that change places as fast as they can: a folder and a link to elsewhere.
  const swap = `
    const { renameSync, symlinkSync } = require('node:fs')
    const { workerData, parentPort } = require('node:worker_threads')
    const { root, outside, forMs } = workerData
    symlinkSync(outside, root + '/.swap')
    const end = performance.now() + forMs
    let swaps = 0
    const move = (from, to) => {
      try {
        renameSync(root + from, root + to)
      } catch {
        // Somebody has made the folder meanwhile, as it may.
        try { renameSync(root + '/d', outside + '/../junk' + Math.random()) } catch {}
        try { renameSync(root + from, root + to) } catch {}
      }
    }
    while (performance.now() < end) {
      move('/d', '/.swap2')
      move('/.swap', '/d')
      move('/d', '/.swap')
      move('/.swap2', '/d')
      swaps += 1
    }
    parentPort.postMessage(swaps)`
  const swapper = new Worker(swap, { eval: true, workerData: { root, outside, forMs } })
  let swaps = 0
  swapper.on('message', (count: number) => (swaps = count))
  const ended = new Promise((resolve) => void swapper.on('exit', resolve))
  const [one, two] = [Buffer.from('one\n'), Buffer.from('two\n')]
  const states = [one, two].map((bytes) => ({ state: `100644 ${blobOid(bytes)}`, bytes }))
  const over = new AbortController()
  void ended.then(() => over.abort())
  let done = 0
  const options = { maxBytes: 1_000, umask: 0o022 }
  for (let at = 0; !over.signal.aborted; at += 1) {
    const held = HeldFolder.open(root)
    const [from, to] = [states[at % 2], states[(at + 1) % 2]]
    if (!from || !to) throw new Error('no states')
    writeFileSync(join(root, 'x'), '')
    // New, replaced, and away again; whatever comes of it is inside.
    const steps = [
      { path: 'd/b.txt', now: undefined, to: from.state, bytes: from.bytes },
      { path: 'd/b.txt', now: from.state, to: to.state, bytes: to.bytes },
      { path: 'd/b.txt', now: to.state, to: undefined, bytes: undefined },
    ]
    for (const step of steps) if (putBack(held, step, options).why === undefined) done += 1
    held[Symbol.dispose]()
    if (at % 50 === 0) await kept.files.snapshot(agent)
    await new Promise((resolve) => void setImmediate(resolve))
  }
  await ended
  console.log(`swapped ${swaps} times, ${done} of the steps were done`)
  expect(swaps).toBeGreaterThan(10)
  expect(done).toBeGreaterThan(0)
  expect(readdirSync(outside)).toEqual(['a.txt'])
  expect(readFileSync(join(outside, 'a.txt'), 'utf8')).toBe('precious\n')
  // And nothing from outside came into a snapshot.
  const store = readdirSync(join(root, '../store'))[0] ?? ''
  const git = join(root, '../store', store, 'git')
  const all = execFileSync('git', ['--git-dir', git, 'cat-file', '--batch-all-objects', '--batch'], {
    encoding: 'latin1',
  })
  expect(all).not.toContain('precious')
})

test('[UN9] [T60] [P01] a path that leads out, or is no path in a folder, is refused', () => {
  const names = ['../x', 'a/../../x', '/etc/passwd', 'a//b', '.', '', 'a/./b', '..', 'a/..', 'a\0b', './x', 'a/']
  const held = HeldFolder.open('/tmp')
  try {
    for (const path of names) {
      expect(() => held.parentOf(path, 'fail'), JSON.stringify(path)).toThrow()
    }
  } finally {
    held[Symbol.dispose]()
  }
})

test('[UN8] snapshots that nobody has added to for 30 days are forgotten, others are not', async () => {
  await using kept = await keepFolder()
  writeFileSync(join(kept.root, 'a.txt'), 'a')
  await kept.take(start)
  const store = join(kept.root, '../store')
  const day = 24 * 60 * 60 * 1_000
  expect(sweepStores(store, Date.now() + 29 * day)).toEqual([])
  expect(sweepStores(store, Date.now() + 31 * day)).toHaveLength(1)
  expect(readdirSync(store)).toEqual([])
  expect(sweepStores(join(store, 'none'), Date.now())).toEqual([])
})

test('[UN8] a snapshot that is under way when the runner is stopped is given up, and nothing of it is kept', async () => {
  await using kept = await keepFolder()
  for (let at = 0; at < 300; at += 1) writeFileSync(join(kept.root, `${at}.bin`), Buffer.alloc(64 * 1024, at))
  const taking = kept.files.snapshot(start)
  await kept.workspaces[Symbol.asyncDispose]()
  // Where the machine was quicker than the stop, it is whole.
  const taken = await taking
  if (!taken.ok) expect(taken).toMatchObject({ why: 'failed' })
  expect(await kept.files.snapshot(start)).toMatchObject({ ok: false, why: 'failed' })
})

test("[UN8] what a snapshot that was cut off has left behind stands in nobody's way", async () => {
  await using kept = await keepFolder()
  writeFileSync(join(kept.root, 'a.txt'), 'a')
  await kept.take(start)
  const store = join(kept.root, '../store')
  const git = join(store, readdirSync(store)[0] ?? '', 'git')
  writeFileSync(join(git, 'refs/hotline/s1.lock'), '')
  writeFileSync(join(git, 'objects/pack/tmp_pack_x'), 'half')
  writeFileSync(join(kept.root, 'a.txt'), 'b')
  // The next life of the runner.
  const next = openWorkspaces({ folder: store, path: process.env['PATH'], never: [] })
  try {
    expect(must(await next.open('s1', kept.root).snapshot(agent)).snapshots).toHaveLength(1)
    expect(readdirSync(join(git, 'objects/pack')).filter((name) => name.startsWith('tmp_'))).toEqual([])
  } finally {
    await next[Symbol.asyncDispose]()
  }
  // Who still believes what was true before is refused once, and looks again.
  expect(await kept.files.snapshot(agent)).toMatchObject({ ok: false, why: 'failed' })
  await kept.undo()
  expect(readFileSync(join(kept.root, 'a.txt'), 'utf8')).toBe('a')
})
