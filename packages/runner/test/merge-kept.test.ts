import { spawnSync } from 'node:child_process'
import { chmodSync, mkdirSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { gitHooks, gitKeys } from './git-canary.ts'
import { bytesIn, filesOf, type MergeScene, openMergeScene, put, words } from './merge-scene.ts'

const first = { 'a.txt': 'one\ntwo\nthree\n', 'b.txt': 'b\n', 'sub/c.txt': 'c\n' }

/** All that a merge that is refused must leave as it was. */
function standing({ root, git }: MergeScene): unknown {
  const refs = git('for-each-ref', '--format=%(refname) %(objectname)', 'refs/heads/main', 'refs/heads/release')
  return [
    refs,
    bytesIn(root),
    git('ls-files', '-s', '-v'),
    readFileSync(join(root, '.git/HEAD'), 'utf8'),
    readdirSync(join(root, '.git')),
  ]
}

describe('a branch that nobody has checked out', () => {
  test('[DR8] goes forward to what was kept, with a commit of its own where others have been there, or not at all', async () => {
    await using scene = await openMergeScene(first)
    const { git, keep, branch, root } = scene
    git('branch', 'release')
    const before = bytesIn(root)
    const done = await keep({ 'a.txt': 'one\n2\nthree\n', 'b.txt': undefined }, 'release')
    expect(done).toMatchObject({ merged: { into: 'release', commit: done.commit } })
    expect(git('rev-parse', 'release')).toBe(done.commit)
    expect(git('reflog', 'release')).toContain(`hotline: merge ${branch}`)

    // Somebody else has been there.
    git('worktree', 'add', '-q', join(scene.temp, 'other'), 'release')
    put(join(scene.temp, 'other/d.txt'), 'd\n')
    scene.gitIn(join(scene.temp, 'other'), 'add', '-A')
    scene.gitIn(join(scene.temp, 'other'), 'commit', '-qm', 'theirs')
    git('worktree', 'remove', join(scene.temp, 'other'))
    const theirs = git('rev-parse', 'release')
    const again = await keep({ 'sub/c.txt': 'C\n' }, 'release')
    const tip = git('rev-parse', 'release')
    expect(again).toMatchObject({ merged: { into: 'release', commit: tip } })
    expect(git('show', '-s', '--format=%P', tip)).toBe(`${theirs} ${again.commit}`)
    expect(git('show', '-s', '--format=%an <%ae>%n%B', tip)).toBe(
      `Dana <dana@example.org>\nMerge branch '${branch}' into release\n\nHotline-Session: s1\n`.trimEnd(),
    )
    expect(git('ls-tree', '-r', '--name-only', tip).split('\n')).toEqual(['a.txt', 'd.txt', 'sub/c.txt'])
    expect(git('show', `${tip}:sub/c.txt`)).toBe('C')
    // Once more there is nothing to do.
    expect(await keep({ 'sub/c.txt': 'C\n' }, 'release')).toMatchObject({ merged: { into: 'release', commit: tip } })

    git('checkout', '-q', 'release')
    scene.write('a.txt', 'one\nnobody\nthree\n')
    git('commit', '-qam', 'in the way')
    git('checkout', '-q', 'main')
    const blocked = git('rev-parse', 'release')
    const conflict = await keep({ 'a.txt': 'one\nagent\nthree\n' }, 'release')
    expect(conflict.merge).toEqual({ into: 'release', conflicts: ['a.txt'] })
    expect(conflict.merged).toBeUndefined()
    expect(git('rev-parse', 'release')).toBe(blocked)
    expect(git('rev-parse', branch)).toBe(conflict.commit)
    expect(bytesIn(root)).toEqual(before)
    expect(git('fsck', '--no-dangling')).toBe('')
  })

  test('[DR8] is found where it is packed, and named where there is none', async () => {
    await using scene = await openMergeScene(first)
    const { git, keep } = scene
    git('branch', 'release')
    git('pack-refs', '--all')
    const done = await keep({ 'a.txt': 'x\n' }, 'release')
    expect(git('rev-parse', 'release')).toBe(done.commit)
    git('symbolic-ref', 'refs/heads/alias', 'refs/heads/release')
    for (const [into, why] of [
      ['nowhere', 'no branch "nowhere"'],
      ['alias', 'leads to another branch'],
      [scene.branch, 'is the branch on which'],
      ['--upload-pack=x', 'no name of a branch'],
      ['release^{commit}', 'no name of a branch'],
    ] as const) {
      expect((await keep({ 'b.txt': `${into}\n` }, into)).unmerged).toContain(why)
    }
    expect(git('rev-parse', 'release')).toBe(done.commit)
  })
})

describe('a branch that somebody has checked out', () => {
  test('[DR9] takes index and files along, beside everything that its person has there', async () => {
    await using scene = await openMergeScene({ ...first, 'mine.txt': 'mine\n', '.gitignore': '*.log\n' })
    const { git, keep, root, write } = scene
    write('mine.txt', 'edited\n')
    write('staged.txt', 'staged\n')
    write('loose.txt', 'loose\n')
    write('x.log', 'log\n')
    git('add', 'staged.txt')
    // The time of a file that is as it was says nothing.
    write('a.txt', first['a.txt'])
    const done = await keep({ 'a.txt': 'one\n2\n', 'b.txt': undefined, 'new/n.txt': 'n\n' }, 'main')
    expect(done).toMatchObject({ merged: { into: 'main', commit: done.commit } })
    expect(git('rev-parse', 'HEAD')).toBe(done.commit)
    expect(git('status', '--porcelain').split('\n')).toEqual([' M mine.txt', 'A  staged.txt', '?? loose.txt'])
    expect(bytesIn(root)).toEqual({
      '.gitignore': '*.log\n',
      'a.txt': 'one\n2\n',
      'loose.txt': 'loose\n',
      'mine.txt': 'edited\n',
      'new/n.txt': 'n\n',
      'staged.txt': 'staged\n',
      'sub/c.txt': 'c\n',
      'x.log': 'log\n',
    })
    expect(git('reflog', '-1')).toContain('hotline: merge')
    expect(readdirSync(join(root, '.git')).filter((name) => /MERGE|lock/.test(name))).toEqual([])
    git('commit', '-qm', 'goes on')

    // In another worktree of theirs, with a commit in between, and an index in two files.
    const linked = join(scene.temp, 'linked')
    git('worktree', 'add', '-q', '-b', 'release', linked, 'main')
    scene.gitIn(linked, 'update-index', '--split-index')
    put(join(linked, 'r.txt'), 'r\n')
    scene.gitIn(linked, 'add', '-A')
    scene.gitIn(linked, 'commit', '-qm', 'theirs')
    put(join(linked, 'r.txt'), 'edited\n')
    const again = await keep({ 'a.txt': 'one\n3\n' }, 'release')
    expect(again.merged?.commit).toBe(scene.gitIn(linked, 'rev-parse', 'HEAD'))
    expect(again.merged?.commit).not.toBe(again.commit)
    expect(scene.gitIn(linked, 'status', '--porcelain')).toBe(' M r.txt')
    expect(readFileSync(join(linked, 'a.txt'), 'utf8')).toBe('one\n3\n')
    expect(git('status', '--porcelain', '-uno')).toBe(' M mine.txt')
  })

  test('[DR9] keeps line ends as the repository wants them, and what was a link, a program or a folder', async () => {
    await using scene = await openMergeScene({
      '.gitattributes': '*.txt text eol=crlf\n',
      'a.txt': 'one\n',
      'f/x': 'x\n',
    })
    const { git, root } = scene
    const files = [
      ...filesOf({ 'a.txt': 'one\r\ntwo\r\n', 'f/x': undefined }),
      { path: 'f', content: { mode: '120000' as const, bytes: Buffer.from('a.txt') } },
      { path: 'run', content: { mode: '100755' as const, bytes: Buffer.from('#!/bin/sh\n') } },
    ]
    const isolator = scene.with({ PATH: process.env['PATH'] ?? '', HOME: scene.temp })
    expect((await isolator.commit('s1', files, words, 'main')).unmerged).toBeUndefined()
    expect(bytesIn(root)).toMatchObject({ 'a.txt': 'one\r\ntwo\r\n', f: '-> a.txt', run: 'x #!/bin/sh\n' })
    expect(git('status', '--porcelain')).toBe('')
  })

  const cannot: readonly [name: string, why: string, begin: (scene: MergeScene) => void][] = [
    ['an edit', 'not committed in', ({ write }) => write('a.txt', 'mine\n')],
    [
      'an edit that is in the index',
      'not committed in',
      ({ write, git }) => (write('a.txt', 'mine\n'), git('add', 'a.txt')),
    ],
    [
      'an edit in the index alone',
      'not committed in',
      ({ write, git }) => (write('a.txt', 'mine\n'), git('add', 'a.txt'), write('a.txt', first['a.txt'])),
    ],
    ['a file that they removed', 'not committed in', ({ root }) => rmSync(join(root, 'a.txt'))],
    ['a file that may be run', 'not committed in', ({ root }) => chmodSync(join(root, 'a.txt'), 0o755)],
    ['a file that git does not know', '"new/n.txt"', ({ write }) => write('new/n.txt', 'mine\n')],
    [
      'a file that git ignores',
      '"new/n.txt"',
      ({ write, git }) => (
        write('.gitignore', 'new\n'),
        git('add', '.'),
        git('commit', '-qm', 'i'),
        write('new/n.txt', 'mine\n')
      ),
    ],
    ['a file where a folder would be', '"new"', ({ write }) => write('new', 'mine\n')],
    ['a link where a folder would be', '"new"', ({ root, temp }) => symlinkSync(temp, join(root, 'new'))],
    [
      'files in a folder where a file would be',
      '"new/n.txt/mine.log"',
      ({ write, git }) => (
        write('.gitignore', '*.log\n'),
        git('add', '.'),
        git('commit', '-qm', 'i'),
        write('new/n.txt/mine.log', 'mine\n')
      ),
    ],
    [
      'a file that is not to be looked at',
      'assume-unchanged',
      ({ git, write }) => (git('update-index', '--assume-unchanged', 'a.txt'), write('a.txt', 'mine\n')),
    ],
    ['a file that is left out', 'sparse', ({ git }) => git('update-index', '--skip-worktree', 'sub/c.txt')],
    [
      'a filter',
      'program of its own',
      ({ write, git }) => (write('.gitattributes', 'a.txt filter=x\n'), git('add', '.'), git('commit', '-qm', 'f')),
    ],
    ['a git that is at work', 'index.lock', ({ root }) => writeFileSync(join(root, '.git/index.lock'), '')],
    [
      'a branch that somebody moves',
      'main.lock',
      ({ root }) => writeFileSync(join(root, '.git/refs/heads/main.lock'), ''),
    ],
    ['a merge', 'A merge is under way', ({ root }) => writeFileSync(join(root, '.git/MERGE_HEAD'), '')],
    ['a rebase', 'A rebase is under way', ({ git }) => rebase(git)],
    [
      'a cherry-pick',
      'A cherry-pick is under way',
      ({ root }) => writeFileSync(join(root, '.git/CHERRY_PICK_HEAD'), ''),
    ],
    ['a revert', 'A revert is under way', ({ root }) => writeFileSync(join(root, '.git/REVERT_HEAD'), '')],
    [
      'a bisect',
      'A bisect is under way',
      ({ git }) => (git('commit', '-q', '--allow-empty', '-m', 'e'), git('bisect', 'start', 'HEAD', 'HEAD^')),
    ],
    ['a folder that is somewhere else', 'not to be found', ({ git, root }) => git('config', 'core.worktree', root)],
  ]
  test.each(cannot)('[DR9] nothing moves where there is %s, and that is said', async (_, why, begin) => {
    await using scene = await openMergeScene(first)
    begin(scene)
    const before = standing(scene)
    const done = await scene.keep({ 'a.txt': 'one\n2\nthree\n', 'new/n.txt': 'n\n' }, 'main')
    expect(done.unmerged).toContain(why)
    expect(done.merged).toBeUndefined()
    expect(standing(scene)).toEqual(before)
    expect(scene.git('rev-parse', scene.branch)).toBe(done.commit)
  })

  test('[DR9] conflicts of theirs, a worktree that is gone and a second one are said, too', async () => {
    await using scene = await openMergeScene(first)
    const { git, keep, write, temp } = scene
    write('b.txt', 'x\n')
    git('stash', '-q')
    write('b.txt', 'y\n')
    git('commit', '-qam', 'y')
    expect(() => git('stash', 'pop', '-q')).toThrow('stash pop')
    expect((await keep({ 'a.txt': 'A\n' }, 'main')).unmerged).toContain('conflicts that nobody has resolved')
    git('checkout', '-qf', 'HEAD', '.')
    git('worktree', 'add', '-q', '-b', 'release', join(temp, 'gone'))
    git('worktree', 'add', '-qf', join(temp, 'twice'), 'main')
    expect((await keep({ 'a.txt': 'B\n' }, 'main')).unmerged).toContain('several places')
    rmSync(join(temp, 'gone'), { recursive: true })
    expect((await keep({ 'a.txt': 'C\n' }, 'release')).unmerged).toContain('not to be found')
  })
})

test('[DR8] [DR9] so it is where objects have longer names', async () => {
  await using scene = await openMergeScene(first, 'sha256')
  const { git, keep, write } = scene
  git('branch', 'hotline/other')
  git('branch', 'release')
  expect(await scene.branches()).toEqual(['main', 'release', 'hotline/other'])
  write('b.txt', 'mine\n')
  git('commit', '-qam', 'theirs')
  expect((await keep({ 'a.txt': 'A\n' }, 'main')).merged?.commit).toBe(git('rev-parse', 'HEAD'))
  expect(git('rev-parse', 'HEAD')).toHaveLength(64)
  expect(git('status', '--porcelain')).toBe('')
})

test('[DR8] [DR9] and where the repository has no files of its own, but worktrees of people', async () => {
  await using scene = await openMergeScene(first)
  const { temp, git, gitIn } = scene
  const bare = join(temp, 'bare.git')
  const person = join(temp, 'person')
  git('clone', '-q', '--bare', scene.root, bare)
  gitIn(bare, 'worktree', 'add', '-q', '-b', 'work', person)
  const isolator = scene.with({ PATH: process.env['PATH'] ?? '', HOME: temp })
  const of = { folder: person, isolation: 'worktree', bring: [], title: '' } as const
  await isolator.make('s2', of, new AbortController().signal)
  const keep = (text: string, into: string) => isolator.commit('s2', filesOf({ 'a.txt': text }), words, into)
  const nowhere = await keep('A\n', 'main')
  expect(nowhere.merged?.commit).toBe(gitIn(bare, 'rev-parse', 'main'))
  const there = await keep('B\n', 'work')
  expect(there.merged?.commit).toBe(gitIn(person, 'rev-parse', 'HEAD'))
  expect(readFileSync(join(person, 'a.txt'), 'utf8')).toBe('B\n')
  expect(gitIn(person, 'status', '--porcelain')).toBe('')
})

test('[DR7] [DR9] an index in two files is whole afterwards, here and there', async () => {
  await using scene = await openMergeScene(first)
  const { root, cwd, git, gitIn, keep } = scene
  for (const folder of [root, cwd]) gitIn(folder, 'update-index', '--split-index')
  expect((await keep({ 'n.txt': 'n\n', 'o.txt': 'o\n', 'p.txt': 'p\n' }, 'main')).unmerged).toBeUndefined()
  expect(git('status', '--porcelain')).toBe('')
  expect(gitIn(cwd, 'diff', '--cached', '--name-only')).toBe('')
  expect(gitIn(cwd, 'ls-files').split('\n')).toHaveLength(6)
})

test('[DR7] [DR9] attributes of this clone alone name a filter as well', async () => {
  await using scene = await openMergeScene(first)
  put(join(scene.root, '.git/info/attributes'), 'a.txt filter=x\n')
  const done = await scene.keep({ 'a.txt': 'A\n', 'b.txt': 'B\n' }, 'main')
  expect(done.left).toEqual([{ path: 'a.txt', why: expect.stringContaining('program of its own') }])
  expect(done.merged?.commit).toBe(done.commit)
})

test('[DR10] what the agent committed by itself goes nowhere before people have kept it, nor what others did elsewhere', async () => {
  await using scene = await openMergeScene(first)
  const { git, keep, cwd, gitIn, branch } = scene
  git('branch', 'release')
  const main = git('rev-parse', 'main')
  put(join(cwd, 'hidden.txt'), 'hidden\n')
  put(join(cwd, 'b.txt'), 'hidden\n')
  gitIn(cwd, 'add', '-A')
  gitIn(cwd, 'commit', '-qm', 'by the agent')
  const done = await keep({ 'a.txt': 'A\n' }, 'main')
  expect(done.unmerged).toContain('more than was kept here')
  expect(done.unmerged).toContain('"b.txt", "hidden.txt"')
  expect(git('rev-parse', 'main')).toBe(main)
  // Kept with other bytes it is still not that.
  expect((await keep({ 'b.txt': 'hidden\n', 'hidden.txt': 'seen\n' }, 'main')).unmerged).toBeUndefined()
  expect(git('show', 'main:hidden.txt')).toBe('seen')
  expect(git('rev-parse', 'main')).toBe(git('rev-parse', branch))

  // Of what went into main since, the branch would bring all into an older one.
  scene.write('theirs.txt', 'theirs\n')
  git('add', '-A')
  git('commit', '-qm', 'theirs')
  gitIn(cwd, 'merge', '-q', 'main')
  expect((await keep({ 'a.txt': 'B\n' }, 'release')).unmerged).toContain('"theirs.txt"')
  expect((await keep({ 'a.txt': 'C\n' }, 'main')).merged?.commit).toBe(git('rev-parse', 'main'))
})

test('[DR8] [IS8] [T57] merging runs no program that the repository, a person or an attribute names to git', async () => {
  await using scene = await openMergeScene({
    ...first,
    '.gitattributes': '*.txt diff=canary merge=canary\n*.pipe filter=pipe\n',
  })
  const { git, root, temp, keep } = scene
  const marks = join(temp, 'marks')
  mkdirSync(marks)
  const program = (name: string): string => {
    const file = join(temp, `program-${name.replaceAll(/[^a-zA-Z-]/g, '_')}`)
    writeFileSync(file, `#!/bin/sh\n: > '${join(marks, name)}'\ncat 2>/dev/null\nexit 0\n`)
    chmodSync(file, 0o755)
    return file
  }
  const config = join(root, '.git/config')
  const plain = readFileSync(config, 'utf8')
  const keys = gitKeys.map(([name, lines]) => lines(program(name))).join('\n')
  const hooks = `[hook "canary"]\n\tcommand = ${program('hook')}\n\tevent = reference-transaction\n\tevent = post-merge`
  git('checkout', '-q', '-b', 'release')
  scene.write('a.txt', 'one\ntwo\nthree\nfour\n')
  git('commit', '-qam', 'theirs')
  writeFileSync(config, `${plain}\n${keys}\n${hooks}\n`)
  writeFileSync(join(temp, '.gitconfig'), `${keys}\n${hooks}\n`)
  mkdirSync(join(root, '.git/hooks'), { recursive: true })
  for (const hook of [...gitHooks, 'pre-merge-commit', 'post-merge']) {
    writeFileSync(join(root, '.git/hooks', hook), readFileSync(program(`hook-${hook}`)))
    chmodSync(join(root, '.git/hooks', hook), 0o755)
  }
  const done = await keep({ 'a.txt': '1\ntwo\nthree\n' }, 'release')
  const alone = await keep({ 'b.txt': 'B\n' }, 'main')
  expect(readdirSync(marks)).toEqual([])
  // They are no dummies: git itself runs them.
  spawnSync('git', ['commit', '-q', '--allow-empty', '-m', 'x'], { cwd: root, stdio: 'ignore', timeout: 20_000 })
  expect(readdirSync(marks)).not.toEqual([])
  writeFileSync(config, plain)
  writeFileSync(join(temp, '.gitconfig'), '')
  expect(done.merged?.commit).toBe(git('rev-parse', 'release'))
  expect(alone.merged?.commit).toBe(git('rev-parse', 'main'))
  expect(readFileSync(join(root, 'a.txt'), 'utf8')).toBe('1\ntwo\nthree\nfour\n')
  expect(git('status', '--porcelain')).toBe('')
})

/** One that has stopped in the middle: `main` is what it will move, and what is checked out is no branch. */
function rebase(git: MergeScene['git']): void {
  git('branch', 'onto')
  git('commit', '-q', '--allow-empty', '-m', 'e')
  git('-c', 'sequence.editor=sed -i 1ibreak', 'rebase', '-q', '-i', '--force-rebase', 'onto')
}
