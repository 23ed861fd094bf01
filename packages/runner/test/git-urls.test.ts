import { execFileSync } from 'node:child_process'
import { appendFileSync, chmodSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { once } from 'node:events'
import { join } from 'node:path'
import { openTempDir } from '@hotline/testing/temp-dir'
import { expect, test } from 'vitest'
import { GitRefusal, runGit } from '../src/isolation/run-git.ts'
import { findGit, ShadowGit } from '../src/workspace/git.ts'

test('[T63] git reaches for nothing, whatever a repository or somebody names as an address', async () => {
  await using dir = await openTempDir('hotline-urls-')
  const canaries = join(dir.path, 'canaries')
  const other = join(dir.path, 'other')
  const repository = join(dir.path, 'repository')
  for (const folder of [canaries, other, repository]) mkdirSync(folder)
  const canary = join(dir.path, 'canary')
  writeFileSync(canary, `#!/bin/sh\n: > '${canaries}/'$$\nexit 1\n`)
  chmodSync(canary, 0o755)
  const env = { PATH: `${dir.path}:${process.env['PATH']}`, HOME: dir.path, GIT_CONFIG_NOSYSTEM: '1' }
  const git = (cwd: string, ...args: string[]): void => void execFileSync('git', args, { cwd, env })
  for (const folder of [other, repository]) git(folder, 'init', '-q')
  git(other, '-c', 'user.name=x', '-c', 'user.email=x@y', 'commit', '-qm', 'first', '--allow-empty')
  // What a repository says of protocols goes before "none of them" where that is only a setting.
  const allowing = ['ext', 'file', 'git', 'http', 'https', 'ssh', 'fd', 'hg', 'canary']
  const config = allowing.map((name) => `[protocol "${name}"]\n\tallow = always\n`).join('')
  appendFileSync(join(repository, '.git/config'), `${config}[core]\n\tsshCommand = ${canary}\n\tgitProxy = ${canary}\n`)
  // Helpers for transports are found by their names.
  for (const name of ['git-remote-canary', 'git-remote-hg', 'ssh'])
    writeFileSync(join(dir.path, name), `#!/bin/sh\nexec ${canary}\n`, { mode: 0o755 })
  let calls = 0
  await using listener = createServer((socket) => {
    calls += 1
    socket.destroy()
  }).listen(0, '127.0.0.1')
  await once(listener, 'listening')
  const at = listener.address()
  const port = typeof at === 'object' ? at?.port : 0
  const urls = [
    `ext::${canary}`,
    `ext::sh -c ${canary}% >&2`,
    `EXT::${canary}`,
    `canary::anything`,
    `hg::http://127.0.0.1:${port}/`,
    `fd::3`,
    `file://${other}`,
    `file://localhost${other}`,
    other,
    '../other',
    `ssh://-oProxyCommand=${canary}/x`,
    `ssh://127.0.0.1:${port}/x`,
    '-oProxyCommand=x:y',
    `git@127.0.0.1:x`,
    `git://127.0.0.1:${port}/x`,
    `http://127.0.0.1:${port}/x`,
    `https://127.0.0.1:${port}/x`,
    `ftp://127.0.0.1:${port}/x`,
    `http://[::ffff:127.0.0.1]:${port}/x`,
    `http://user:pass@127.0.0.1:${port}/x`,
  ]
  const program = findGit(process.env['PATH']) ?? ''
  const shadow = new ShadowGit(program, join(dir.path, 'shadow'))
  await shadow.open()
  const own = { program, cwd: repository, env: { PATH: env.PATH }, timeoutMs: 20_000 }
  for (const url of urls) {
    for (const args of [
      ['ls-remote', '--', url],
      ['fetch', '--', url],
      ['clone', '--bare', '--', url, join(dir.path, 'clone')],
    ]) {
      await expect(runGit({ ...own, args }), `${args[0]} ${url}`).rejects.toBeInstanceOf(GitRefusal)
      await expect(shadow.run(args), `${args[0]} ${url}`).rejects.toThrow()
    }
  }
  expect(readdirSync(canaries)).toEqual([])
  expect(calls).toBe(0)
  // The instruments see what there would be to see.
  expect(() => git(repository, 'ls-remote', `ext::${canary}`)).toThrow()
  expect(readdirSync(canaries)).toHaveLength(1)
})
