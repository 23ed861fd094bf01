import { execFileSync } from 'node:child_process'
import {
  appendFileSync,
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { Worker } from 'node:worker_threads'
import { expect, test } from 'vitest'
import { HeldFolder } from '../src/workspace/held-folder.ts'
import { readEntry } from '../src/workspace/read-entry.ts'
import { keepFolder, must } from './keep-files.ts'

const start = { moment: 'start', by: 'other' } as const
const agent = { moment: 'turn_ended', by: 'agent' } as const
const undoing = { moment: 'undo', by: 'other' } as const

const outOfIt = ['../outside/a.txt', 'a/../../outside/a.txt', 'a\0b', '.', '', 'x'.repeat(5_000), 'a//b', './a.txt']

test('[P01] [P02] a name that leads out, or is none, is nothing that an undo could choose, and no encoding is undone', async () => {
  await using kept = await keepFolder()
  const { root, outside } = kept
  const odd = ['%2e%2e%2foutside%2fa.txt', '%252e%252e%252fa.txt', '..%c0%afa.txt', 'C:\\x', '\\\\host\\x']
  writeFileSync(join(outside, 'a.txt'), 'precious\n')
  writeFileSync(join(root, 'a.txt'), 'before\n')
  await kept.take(start)
  writeFileSync(join(root, 'a.txt'), 'after\n')
  for (const name of odd) writeFileSync(join(root, name), 'odd\n')
  await kept.take(agent)
  const also = [...outOfIt, join(outside, 'a.txt'), '/etc/passwd']
  const { preview } = must(await kept.files.plan(undoing, {}))
  expect(preview.files.map(({ path }) => path).toSorted()).toEqual(['a.txt', ...odd].toSorted())
  const { done } = must(await kept.files.apply(undoing, {}, { digest: preview.digest, also, except: [] }))
  // Each of them is the name of a file in the folder, as it stands there.
  expect(done?.files.map(({ path }) => path).toSorted()).toEqual(['a.txt', ...odd].toSorted())
  expect(readdirSync(root)).toEqual(['a.txt'])
  expect(readFileSync(join(root, 'a.txt'), 'utf8')).toBe('before\n')
  expect(readFileSync(join(outside, 'a.txt'), 'utf8')).toBe('precious\n')
  using held = HeldFolder.open(root)
  for (const path of [...outOfIt.filter((name) => name.length < 100), '/etc/passwd'])
    expect(() => held.parentOf(path, 'fail'), path.slice(0, 40)).toThrow()
})

test('[P03] what some file system takes for .git is neither kept nor put back, and makes its folder a repository', async () => {
  await using kept = await keepFolder()
  const { root } = kept
  const names = ['.git', '.GIT', '.Git', '.git.', '.git ', '.git. .', '.g\u200cit', '.\u202egit', 'GIT~1', 'git~1']
  for (const name of names) mkdirSync(join(root, name))
  for (const [at, name] of names.entries()) {
    mkdirSync(join(root, `in${at}`, name), { recursive: true })
    writeFileSync(join(root, `in${at}`, 'a.txt'), 'before\n')
  }
  const { snapshots } = await kept.take(start)
  expect(snapshots[0]?.leftOut.map(({ path, why }) => `${path}: ${why}`).toSorted()).toEqual(
    names.map((_, at) => `in${at}: is a repository of its own`),
  )
  for (const name of names) writeFileSync(join(root, name, 'config'), '[core]\n')
  writeFileSync(join(root, '.gitx'), 'x')
  await kept.take(agent)
  const { preview } = must(await kept.files.plan(undoing, {}))
  expect(preview.files.map(({ path }) => path)).toEqual(['.gitx'])
  await kept.undo()
  for (const name of names) expect(readFileSync(join(root, name, 'config'), 'utf8')).toBe('[core]\n')
})

test('[P04] a link is kept as a link: one to elsewhere, fifty in a row, or a loop leads nowhere', async () => {
  await using kept = await keepFolder()
  const { root, outside } = kept
  writeFileSync(join(outside, 'a.txt'), 'precious\n')
  const chain = Array.from({ length: 50 }, (_, at) => `chain${at}`)
  const links = new Map([
    ['out', outside],
    ['file', join(outside, 'a.txt')],
    ['loop', 'pool'],
    ['pool', 'loop'],
    ...chain.map((name, at): [string, string] => [name, chain[at + 1] ?? outside]),
  ])
  for (const [name, to] of links) symlinkSync(to, join(root, name))
  await kept.take(start)
  for (const name of links.keys()) rmSync(join(root, name))
  await kept.take(agent)
  // Whoever waits there for what is put back gets nothing through a link.
  symlinkSync(outside, join(root, 'd'))
  const { done } = await kept.undo()
  expect(done?.files).toHaveLength(links.size)
  for (const name of links.keys()) expect(lstatSync(join(root, name)).isSymbolicLink(), name).toBe(true)
  using held = HeldFolder.open(root)
  for (const name of ['out', 'loop', 'chain0']) expect(() => held.parentOf(`${name}/a.txt`, 'fail'), name).toThrow()
  expect(readEntry(held, 'file', 100).kind).toBe('link')
  expect(readdirSync(outside)).toEqual(['a.txt'])
})

test('[P06] a pipe, a socket and a link to a device or into /proc are no files, and hold nobody up', async () => {
  await using kept = await keepFolder()
  const { root } = kept
  execFileSync('mkfifo', [join(root, 'pipe')])
  const socket = createServer()
  await new Promise<void>((resolve) => socket.listen(join(root, 'socket'), resolve))
  for (const to of ['/dev/zero', '/proc/self/mem', '/proc/self/environ']) {
    symlinkSync(to, join(root, `to${to.replaceAll('/', '-')}`))
  }
  const { snapshots } = await kept.take(start)
  const leftOut = snapshots[0]?.leftOut.map(({ path, why }) => `${path}: ${why}`).toSorted()
  expect(leftOut).toEqual(['pipe: is no ordinary file', 'socket: is no ordinary file'])
  using held = HeldFolder.open(root)
  const kinds = ['pipe', 'socket', 'to-dev-zero', 'to-proc-self-mem'].map((name) => readEntry(held, name, 100).kind)
  expect(kinds).toEqual(['unreadable', 'unreadable', 'link', 'link'])
  await new Promise((resolve) => socket.close(resolve))
})

test('[P07] a file of a terabyte that is not there is too large, and one that grows is read up to the limit', async () => {
  await using kept = await keepFolder()
  const { root } = kept
  writeFileSync(join(root, 'sparse'), '')
  truncateSync(join(root, 'sparse'), 1024 ** 4)
  writeFileSync(join(root, 'a.txt'), 'a')
  await kept.take(start)
  writeFileSync(join(root, 'a.txt'), 'b')
  appendFileSync(join(root, 'sparse'), 'x')
  await kept.take(agent)
  const { preview } = must(await kept.files.plan(undoing, {}))
  expect(preview.files.map(({ path }) => path)).toEqual(['a.txt'])
  expect(preview.cannot.join('\n')).toContain('sparse: too large')

  const grow = `
    const { appendFileSync } = require('node:fs')
    const { workerData, parentPort } = require('node:worker_threads')
    appendFileSync(workerData, 'x')
    parentPort.postMessage('growing')
    for (let at = 0; at < 4_000; at += 1) appendFileSync(workerData, 'x'.repeat(1_000))`
  const worker = new Worker(grow, { eval: true, workerData: join(root, 'growing') })
  await new Promise((resolve) => worker.once('message', resolve))
  const ended = new Promise((resolve) => worker.once('exit', resolve))
  using held = HeldFolder.open(root)
  let isLarge = false
  while (!isLarge) {
    const entry = readEntry(held, 'growing', 1_000_000)
    if (entry.kind === 'file') expect(entry.bytes.length).toBeLessThanOrEqual(1_000_000)
    else expect(entry.kind).toBe('large')
    isLarge = entry.kind === 'large'
  }
  await ended
})

test('[GI41] two names that differ in case alone are two files, where the file system says so', async ({ skip }) => {
  await using kept = await keepFolder()
  const { root } = kept
  writeFileSync(join(root, 'Read.txt'), 'upper\n')
  if (existsSync(join(root, 'read.txt'))) return skip('here they are one file')
  writeFileSync(join(root, 'read.txt'), 'lower\n')
  await kept.take(start)
  writeFileSync(join(root, 'Read.txt'), 'changed\n')
  rmSync(join(root, 'read.txt'))
  await kept.take(agent)
  await kept.undo()
  expect(readFileSync(join(root, 'Read.txt'), 'utf8')).toBe('upper\n')
  expect(readFileSync(join(root, 'read.txt'), 'utf8')).toBe('lower\n')
})

test('[GI42] where the folder goes away while it is looked at that is said, and what was kept before holds', async () => {
  await using kept = await keepFolder()
  const { root } = kept
  for (let at = 0; at < 200; at += 1) writeFileSync(join(root, `${at}.txt`), `${at}\n`)
  await kept.take(start)
  writeFileSync(join(root, '0.txt'), 'changed\n')
  await kept.take(agent)
  for (let at = 0; at < 200; at += 1) writeFileSync(join(root, `${at}.txt`), `again ${at}\n`)
  const looking = kept.files.snapshot(agent)
  renameSync(root, `${root}-moved`)
  const looked = await looking
  if (!looked.ok) expect(looked.note).toMatch(/\w.*\.$/)
  expect(await kept.files.snapshot(agent)).toMatchObject({ ok: false, why: 'skipped', code: 'folder' })
  expect(await kept.files.plan(undoing, {})).toMatchObject({ ok: false, note: expect.stringMatching(/\.$/) })
  renameSync(`${root}-moved`, root)
  for (let at = 1; at < 200; at += 1) writeFileSync(join(root, `${at}.txt`), `${at}\n`)
  writeFileSync(join(root, '0.txt'), 'changed\n')
  await kept.take(start)
  chmodSync(root, 0o755)
  await kept.undo()
  expect(readFileSync(join(root, '0.txt'), 'utf8')).toBe('0\n')
})
