import { spawnSync } from 'node:child_process'
import { chmodSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { randomSeed, seededRandom, type SeededRandom } from '@hotline/testing/seed'
import { expect, test } from 'vitest'
import { findGit } from '../src/workspace/git.ts'
import { bytesIn, filesOf, type MergeScene, openMergeScene, words } from './merge-scene.ts'

const program = fileURLToPath(new URL('merge-process.ts', import.meta.url))
const first = { 'a.txt': 'one\ntwo\nthree\n', 'b.txt': 'b\n' }

/** A git that does something once, before or after one of its commands. Answers the path on which it is found first. */
function gitThat(scene: MergeScene, when: 'before' | 'after', command: string, does: string): string {
  const folder = join(scene.temp, 'bin')
  mkdirSync(folder, { recursive: true })
  rmSync(join(scene.temp, 'once'), { recursive: true, force: true })
  const real = findGit(process.env['PATH']) ?? ''
  const once = `case " $* " in *" ${command} "*) if /bin/mkdir '${join(scene.temp, 'once')}' 2>/dev/null; then`
  const act = `${once} ${does}\nfi;; esac`
  const [before, after] = when === 'before' ? [act, ''] : ['', act]
  writeFileSync(join(folder, 'git'), `#!/bin/sh\n${before}\n'${real}' "$@"\ncode=$?\n${after}\nexit $code\n`)
  chmodSync(join(folder, 'git'), 0o755)
  return `${folder}${delimiter}${process.env['PATH'] ?? ''}`
}

/** A person who commits in their folder, as a line of a shell; how it went stands in a file. */
function commits(scene: MergeScene, folder: string): string {
  const real = `'${findGit(process.env['PATH']) ?? ''}'`
  const who = `env -i PATH=/bin:/usr/bin HOME='${scene.temp}' ${real} -C '${folder}' -c user.name=p -c user.email=p@q`
  return `/usr/bin/${who} commit -q --allow-empty -m meanwhile >/dev/null 2>'${scene.temp}/said' </dev/null; echo $? >>'${scene.temp}/said'`
}

test('[DR8] what somebody commits in between is in the branch as well', async () => {
  await using scene = await openMergeScene(first)
  const path = gitThat(scene, 'before', 'merge-base', commits(scene, scene.root))
  const isolator = scene.with({ PATH: path, HOME: scene.temp })
  const done = await isolator.commit('s1', filesOf({ 'a.txt': 'one\n2\nthree\n' }), words, 'main')
  expect(readFileSync(join(scene.temp, 'said'), 'utf8')).toBe('0\n')
  expect(scene.git('log', '--format=%s', 'main').split('\n').toSorted()).toEqual(
    ['first', 'meanwhile', 'Keep it', `Merge branch '${scene.branch}' into main`].toSorted(),
  )
  expect(done.merged?.commit).toBe(scene.git('rev-parse', 'HEAD'))
  expect(scene.git('status', '--porcelain')).toBe('')
})

test.each(['before', 'after'] as const)(
  '[DR9] whoever commits %s their files are brought along is asked to wait, and nothing of it is lost',
  async (when) => {
    await using scene = await openMergeScene(first)
    scene.write('mine.txt', 'mine\n')
    scene.git('add', 'mine.txt')
    const path = gitThat(scene, when, 'read-tree -m', commits(scene, scene.root))
    const isolator = scene.with({ PATH: path, HOME: scene.temp })
    const done = await isolator.commit('s1', filesOf({ 'a.txt': 'one\n2\nthree\n' }), words, 'main')
    expect(readFileSync(join(scene.temp, 'said'), 'utf8')).toContain('main.lock')
    expect(done.merged?.commit).toBe(scene.git('rev-parse', 'HEAD'))
    expect(scene.git('status', '--porcelain')).toBe('A  mine.txt')
  },
)

test('[DR9] where the branch cannot be moved in the end, index and files go back', async () => {
  await using scene = await openMergeScene(first)
  scene.write('b.txt', 'mine\n')
  const before = bytesIn(scene.root)
  const head = scene.git('rev-parse', 'HEAD')
  // As a full disk does it: the lock is there, and cannot take its place.
  const ref = join(scene.root, '.git/refs/heads/main')
  const path = gitThat(scene, 'after', 'read-tree -m', `/bin/rm '${ref}'; /bin/mkdir -p '${ref}/x'; : >'${ref}/x/y'`)
  const isolator = scene.with({ PATH: path, HOME: scene.temp })
  const done = await isolator.commit('s1', filesOf({ 'a.txt': 'A\n', 'n.txt': 'n\n' }), words, 'main')
  expect(done.unmerged).toContain('update-ref')
  rmSync(ref, { recursive: true })
  writeFileSync(ref, `${head}\n`)
  expect(bytesIn(scene.root)).toEqual(before)
  expect(scene.git('status', '--porcelain')).toBe(' M b.txt')
  expect(existsSync(join(scene.root, '.git/MERGE_HEAD'))).toBe(false)
})

test.each([
  ['before', 'merge-base'],
  ['before', 'update-index -q'],
  ['before', 'read-tree -m'],
  ['after', 'read-tree -m'],
] as const)('[DR9] a runner that is killed %s "%s" leaves what git explains and takes back', async (when, command) => {
  await using scene = await openMergeScene(first)
  const { git, root, write, temp, branch } = scene
  git('commit', '-q', '--allow-empty', '-m', 'theirs')
  write('b.txt', 'mine\n')
  write('loose.txt', 'mine\n')
  const before = bytesIn(root)
  const head = git('rev-parse', 'HEAD')
  // The commit itself refreshes an index, too: that one is not meant.
  const meant =
    command === 'update-index -q'
      ? `test -e '${root}/.git/MERGE_HEAD' || /bin/rmdir '${temp}/once'; test -e '${temp}/once' && `
      : ''
  const path = gitThat(scene, when, command, `${meant}kill -9 $PPID`)
  const files = JSON.stringify({ 'a.txt': 'A\n', 'n.txt': 'n\n' })
  const ended = spawnSync(process.execPath, [program, join(temp, 'places'), 'main', files], {
    env: { PATH: path, HOME: temp },
    encoding: 'utf8',
  })
  expect(ended).toMatchObject({ signal: 'SIGKILL', stdout: '' })
  expect(git('rev-parse', 'main')).toBe(head)
  expect(existsSync(join(root, '.git/index.lock'))).toBe(false)
  const begun = existsSync(join(root, '.git/MERGE_HEAD'))
  expect(begun).toBe(command !== 'merge-base')
  if (begun) {
    expect(git('status')).toContain('merging')
    git('merge', '--abort')
  }
  expect(bytesIn(root)).toEqual(before)
  expect(git('status', '--porcelain').split('\n')).toEqual([' M b.txt', '?? loose.txt'])
  // And it can be done anew.
  const again = await scene.keep({ 'a.txt': 'A\n', 'n.txt': 'n\n' }, 'main')
  expect(again.unmerged).toBeUndefined()
  expect(git('show', `${branch}:a.txt`)).toBe('A')
  expect(bytesIn(root)).toEqual({ ...before, 'a.txt': 'A\n', 'n.txt': 'n\n' })
  expect(git('rev-parse', 'HEAD')).toBe(again.merged?.commit)
})

const paths = ['a', 'b', 'c', 'd/a', 'd/b', 'd/e/f', 'g.log', 'h', 'h/i'] as const

/** One change at random, as a person makes it. */
function change({ root, git, write }: MergeScene, random: SeededRandom, count: number): void {
  const path = random.pick(paths)
  try {
    const kind = random.int(0, 9)
    if (kind < 5) write(path, `person ${count}\n`)
    else if (kind < 7) rmSync(join(root, path), { recursive: true, force: true })
    else if (kind < 8) chmodSync(join(root, path), 0o755)
    else write(path, readFileSync(join(root, path), 'utf8'))
    if (random.chance(0.4)) git('add', '-f', '-A', path)
    if (random.chance(0.2)) git('commit', '-qm', `person ${count}`)
  } catch {
    // What is not there, or is a folder, is left as it is.
  }
}

test('[DR9] [DR10] beside random changes of a person, merged or not, not one byte of theirs is lost', async () => {
  const random = seededRandom(randomSeed('merges beside a person'))
  let merged = 0
  for (let round = 0; round < 12; round += 1) {
    await using scene = await openMergeScene({
      a: 'a\n',
      b: 'b\n',
      'd/a': 'a\n',
      'd/b': 'b\n',
      h: 'h\n',
      '.gitignore': '*.log\n',
    })
    const { root, git, keep, branch } = scene
    for (let count = 0; count < random.int(0, 6); count += 1) change(scene, random, count)
    const files: Record<string, string | undefined> = {}
    for (let count = 0; count < random.int(1, 3); count += 1) {
      files[random.pick(['a', 'b', 'c', 'd/a', 'd/e/f', 'g.log'])] = random.chance(0.2) ? undefined : `agent ${count}\n`
    }
    const before = bytesIn(root)
    const head = git('rev-parse', 'HEAD')
    const changed = new Map(
      git('status', '--porcelain', '-z', '-uall', '--ignored', '--no-renames')
        .split('\0')
        .filter(Boolean)
        .map((line) => [line.slice(3), line.slice(0, 2)]),
    )
    const done = await keep(files, 'main').catch((error: unknown) => ({ unmerged: String(error), merged: undefined }))
    const what = JSON.stringify({ round, files, changed: [...changed], done })
    const after = bytesIn(root)
    if (done.merged) {
      merged += 1
      expect(git('rev-parse', 'HEAD'), what).toBe(done.merged.commit)
      expect(git('merge-base', head, 'HEAD'), what).toBe(head)
      expect(git('merge-base', branch, 'HEAD'), what).toBe(git('rev-parse', branch))
    } else {
      expect(git('rev-parse', 'HEAD'), what).toBe(head)
      expect(after, what).toEqual(before)
    }
    // What the person has changed is as it was, in the files and in the index.
    const still = git('status', '--porcelain', '-z', '-uall', '--ignored', '--no-renames').split('\0').filter(Boolean)
    expect(new Map(still.map((line) => [line.slice(3), line.slice(0, 2)])), what).toEqual(changed)
    for (const path of changed.keys()) expect(after[path], what).toBe(before[path])
    for (const path of Object.keys(after)) if (!(path in files)) expect(after[path], what).toBe(before[path])
    expect(git('fsck', '--no-dangling'), what).toBe('')
  }
  expect(merged).toBeGreaterThan(0)
})
