import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { scriptPrompt } from '@hotline/demo-agent/script'
import { tempDirsIn } from '@hotline/testing/temp-dirs-in'
import { describe, expect, test } from 'vitest'
import { findWrapper } from '../src/process/namespace.ts'
import { type Bench, openBench } from './bench.ts'
import { demoAgent, type Holds } from './compose.ts'
import { profileOf } from './profile-of.ts'

// An agent behind a fence has a folder for temporary files of its own: what it must not reach lies elsewhere.
tempDirsIn('/var/tmp')

const contain = 'files'
const fences = (await findWrapper(process.env['PATH'], 'files')) !== undefined

/** Tries to get out, says what of it worked, and goes on with what an agent may do. */
const escapes = String.raw`
say() { printf '%s\n' "$*"; }
try() { name=$1; shift; if sh -c "$*" >/dev/null 2>&1; then say "out: $name"; else say "in: $name"; fi; }
try 'write beside' 'echo x > ../beside'
try 'write in the home folder' 'echo x > "$HOME/.bashrc"'
try 'write into the system' 'echo x > /etc/hotline-escaped'
try 'a hook' 'echo x > .git/hooks/post-commit'
try 'the configuration of git' 'git config core.fsmonitor x'
try 'another .git' 'mv .git .git2'
try 'other hooks' 'mv .git/hooks .git/hooks2'
try 'a key' 'cat "$HOME/.ssh/id_ed25519"'
try 'the key of the runner' 'cat "$HOME/.hotline/secret"'
try 'other sessions' 'test -n "$(ls "$HOME/.hotline/sessions" 2>/dev/null)"'
try 'another process' "kill -0 $OUTSIDE"
try 'its memory' "test -e /proc/$OUTSIDE/environ"
try 'a mount' 'mount -o remount,rw /'
try 'an umount' 'umount "$HOME/.ssh"'
try 'a link' 'ln -s /etc/passwd l && echo x >> l'
try 'a device' 'mknod d b 8 0'
echo mine > mine.txt && say 'own: a file'
git -c user.name=a -c user.email=a@b add -A && git -c user.name=a -c user.email=a@b commit -qm agent && say 'own: a commit'
echo cached > "$HOME/.cache/x" && say 'own: a cache'
mktemp >/dev/null && say 'own: a temporary file'
say done
`

async function fencedBench(holds: Holds = 'itself', path?: string): Promise<Bench> {
  return await openBench({
    profiles: [
      {
        ...profileOf('fenced', {}),
        adapter: 'pipe',
        argv: ['/bin/sh', '-c', escapes],
        set: { OUTSIDE: String(process.pid) },
        contain,
      },
      { ...profileOf('speaking', {}), argv: demoAgent, contain },
      { ...profileOf('screened', {}), adapter: 'pty', argv: ['/bin/sh', '-c', 'touch ran'], contain },
    ],
    holds,
    before: ({ cwd, dataDir }) => {
      const home = join(cwd, '..')
      for (const folder of ['.ssh', '.cache']) mkdirSync(join(home, folder))
      writeFileSync(join(home, '.ssh/id_ed25519'), 'a key')
      mkdirSync(dataDir, { recursive: true })
      writeFileSync(join(dataDir, 'secret'), 'of the runner')
      const git = (...args: string[]): unknown =>
        execFileSync('git', ['-c', 'user.name=x', '-c', 'user.email=x@y', ...args], { cwd })
      git('init', '-q', '-b', 'main')
      git('commit', '-q', '--allow-empty', '-m', 'first')
    },
    ...(path === undefined ? {} : { environment: { PATH: path } }),
  })
}

describe.skipIf(!fences).each(['itself', 'by keeper'] as const satisfies Holds[])(
  'a fence around an agent, held %s',
  (holds) => {
    test.each(['in_place', 'worktree', 'copy'] as const)(
      '[T52] [FE1] [FE2] nothing outside of what it works on is changed, and no key is there, %s',
      async (isolation) => {
        await using bench = await fencedBench(holds)
        const { world, cwd } = bench
        const session = world.start('fenced', { cwd, isolation, unasked: true })
        await world.until(session, 'its end', ({ status }) => status === 'completed' || status === 'failed')
        const printed = world.printed(session, 'stdout')
        expect(printed.split('\n').filter((line) => line.startsWith('out: '))).toEqual([])
        expect(printed.match(/^in: /gm)).toHaveLength(16)
        expect(printed.match(/^own: .+$/gm)).toEqual([
          'own: a file',
          'own: a commit',
          'own: a cache',
          'own: a temporary file',
        ])
        expect(existsSync(join(cwd, '../beside'))).toBe(false)
        expect(existsSync(join(cwd, '.git/hooks/post-commit'))).toBe(false)
        expect(readFileSync(join(cwd, '../.cache/x'), 'utf8')).toBe('cached\n')
        expect(readFileSync(join(cwd, '.git/config'), 'utf8')).not.toContain('fsmonitor')
      },
    )

    test('[FE1] an agent that speaks works behind it, and its programs reach people', async () => {
      await using bench = await fencedBench(holds)
      const { world, cwd } = bench
      const session = world.start('speaking', {
        cwd,
        isolation: 'in_place',
        mode: 'auto-edit',
        prompt: scriptPrompt([
          { do: 'write', path: 'a.txt', content: 'mine' },
          { do: 'say', text: 'done' },
        ]),
      })
      await world.until(session, 'a turn', ({ counts, turn }) => counts.turns === 1 && !turn)
      expect(readFileSync(join(cwd, 'a.txt'), 'utf8')).toBe('mine')
      world.send(session, 'session.abort', {})
      await world.until(session, 'its end', ({ status }) => status === 'aborted')
    })
  },
)

test.each(['screened', 'fenced'])(
  '[FE3] where there can be no fence, %s is not started, and it is said why',
  async (agent) => {
    await using bench = await fencedBench('itself', '/nowhere')
    const { world, cwd } = bench
    const session = world.start(agent, { cwd, unasked: true })
    await world.until(session, 'the end', ({ status }) => status === 'failed')
    expect(world.events(session, 'session.state_changed').at(-1)?.body?.note).toContain('"contain: files"')
    expect(existsSync(join(cwd, 'ran'))).toBe(false)
  },
)
