import { execFileSync, spawnSync } from 'node:child_process'
import { chmodSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, expect, test } from 'vitest'
import { gitHooks, gitKeys } from './git-canary.ts'
import { keepFolder, must } from './keep-files.ts'

const saved = { ...process.env }
afterEach(() => {
  for (const name of Object.keys(process.env)) if (!(name in saved)) delete process.env[name]
  Object.assign(process.env, saved)
})

test('[UN6] [T57] [T58] [GI34] [GI35] [GI36] no snapshot and no undo runs a program that a repository, a person or the machine names to git', async () => {
  await using kept = await keepFolder()
  const { root, outside } = kept
  const canaries = join(outside, 'canaries')
  const programs = join(outside, 'programs')
  mkdirSync(canaries)
  mkdirSync(programs)
  const program = (name: string): string => {
    const file = join(programs, name.replaceAll(/[^a-zA-Z.-]/g, '_'))
    writeFileSync(file, `#!/bin/sh\n: > '${join(canaries, name)}'\ncat 2>/dev/null\nexit 0\n`)
    chmodSync(file, 0o755)
    return file
  }
  const configOf = (where: string): string =>
    [...gitKeys, ['include', (path: string) => `[include]\n\tpath = ${path}.inc`] as const]
      .map(([name, lines]) => lines(program(`${where}-${name}`)))
      .join('\n')
  const git = (cwd: string, ...args: string[]): void => {
    execFileSync('git', ['-c', 'user.name=x', '-c', 'user.email=x@y', ...args], {
      cwd,
      env: { PATH: saved['PATH'], HOME: outside, GIT_CONFIG_NOSYSTEM: '1' },
    })
  }
  const repositories = [root, join(root, 'nested'), join(root, 'deep/in/nested')]
  for (const [at, folder] of repositories.entries()) {
    mkdirSync(folder, { recursive: true })
    git(folder, 'init', '-q')
    writeFileSync(join(folder, 'a.txt'), 'aaaa\n')
    writeFileSync(join(folder, 'b.canary'), 'bbbb\n')
    if (at > 0) git(folder, 'add', 'a.txt', 'b.canary')
    if (at > 0) git(folder, 'commit', '-qm', 'first')
    writeFileSync(
      join(folder, '.gitattributes'),
      '*.txt filter=canary diff=canary merge=canary\n*.canary filter=pipe diff=other\n',
    )
    const into = readFileSync(join(folder, '.git/config'), 'utf8')
    writeFileSync(join(folder, '.git/config'), `${into}\n${configOf(`repo${at}`)}\n`)
    for (const hook of gitHooks) {
      mkdirSync(join(folder, '.git/hooks'), { recursive: true })
      writeFileSync(join(folder, '.git/hooks', hook), readFileSync(program(`hook${at}-${hook}`)))
      chmodSync(join(folder, '.git/hooks', hook), 0o755)
    }
  }
  // A bare repository as plain files, a pointer to one elsewhere, and modules.
  mkdirSync(join(root, 'bare/objects'), { recursive: true })
  mkdirSync(join(root, 'bare/refs'))
  writeFileSync(join(root, 'bare/HEAD'), 'ref: refs/heads/main\n')
  writeFileSync(join(root, 'bare/config'), `[core]\n\tbare = true\n${configOf('bare')}`)
  mkdirSync(join(root, 'pointer'))
  writeFileSync(join(root, 'pointer/.git'), `gitdir: ${join(root, 'bare')}\n`)
  writeFileSync(join(root, 'pointer/inside.txt'), 'not ours\n')
  writeFileSync(join(root, '.gitmodules'), '[submodule "sub"]\n\tpath = nested\n\turl = ./nested\n')
  // What a person and the machine have set, and the surroundings of the runner.
  writeFileSync(join(outside, '.gitconfig'), configOf('person'))
  mkdirSync(join(outside, 'git'))
  writeFileSync(join(outside, 'git/attributes'), '* filter=canary diff=canary\n')
  Object.assign(process.env, {
    HOME: outside,
    XDG_CONFIG_HOME: outside,
    GIT_CONFIG_GLOBAL: join(outside, '.gitconfig'),
    GIT_CONFIG_SYSTEM: join(outside, '.gitconfig'),
    GIT_DIR: join(root, '.git'),
    GIT_WORK_TREE: root,
    GIT_EXTERNAL_DIFF: program('env-diff'),
    GIT_PAGER: program('env-pager'),
    GIT_EDITOR: program('env-editor'),
    GIT_SSH_COMMAND: program('env-ssh'),
    GIT_ASKPASS: program('env-askpass'),
    GIT_TEMPLATE_DIR: join(root, '.git'),
    GIT_EXEC_PATH: programs,
    GIT_CONFIG_COUNT: '1',
    GIT_CONFIG_KEY_0: 'core.fsmonitor',
    GIT_CONFIG_VALUE_0: program('env-count'),
  })

  await kept.take({ moment: 'start', by: 'other' })
  // Of the same size, so that only a filter could tell; and a commit of the agent's.
  for (const folder of [root, join(root, 'bare')]) writeFileSync(join(folder, 'a.txt'), 'AAAA\n')
  writeFileSync(join(root, 'nested/a.txt'), 'AAAA\n')
  writeFileSync(join(root, '.gitattributes'), '* filter=canary diff=canary text eol=crlf ident\n')
  writeFileSync(join(root, 'new.canary'), '$Id$\r\n')
  await kept.take({ moment: 'turn_ended', by: 'agent' })
  const { preview } = must(await kept.files.plan({ moment: 'undo', by: 'other' }, {}))
  expect(preview.files.map(({ path }) => path)).toEqual(['.gitattributes', 'a.txt', 'bare/a.txt', 'new.canary'])
  expect(preview.leftOut.map(({ path }) => path).toSorted()).toEqual(['deep/in/nested', 'nested', 'pointer'])
  await kept.undo()
  expect(readFileSync(join(root, 'a.txt'), 'utf8')).toBe('aaaa\n')
  // Excluded, told, and left alone.
  expect(readFileSync(join(root, 'nested/a.txt'), 'utf8')).toBe('AAAA\n')
  expect(readdirSync(canaries)).toEqual([])

  // They are no dummies: git itself, where it reads all that, runs them.
  delete process.env['GIT_EXEC_PATH']
  for (const args of [['add', '-A'], ['status'], ['diff', 'HEAD'], ['commit', '-qm', 'x'], ['st'], ['log', '-p']]) {
    spawnSync('git', args, { cwd: root, env: { ...process.env, GIT_CONFIG_COUNT: '0' }, timeout: 20_000 })
  }
  expect(readdirSync(canaries).length).toBeGreaterThan(3)
})
