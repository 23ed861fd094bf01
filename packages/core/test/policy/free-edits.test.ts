import { onlyLooks } from '@hotline/core/policy/programs'
import { sendersOf } from '@hotline/core/roles'
import { parseCommand } from '@hotline/protocol/command'
import type { Isolation } from '@hotline/protocol/place'
import { expect, it } from 'vitest'
import { code, dana, eli, Log, runner, stream } from '../fixtures.ts'
import { bash, cwd, edit, judge } from './requests.ts'

/** A session that was started with the wish, and its machine has it. */
function wished(): Log {
  const log = new Log()
  log.send(dana, 'session.start', { project: 'p1', agent: 'demo', freeEdits: true })
  log.send(runner, 'lease.take', {})
  return log
}

const prepared = (isolation: Isolation) => ({
  type: 'workspace.prepared' as const,
  data: { isolation },
  body: { folder: cwd },
})
const profile = (fence: 'files' | 'none') => ({ type: 'session.profile_changed' as const, data: { fence } })

it('[PO32] edits are free once the place is its own and behind a fence, in the name of who wished it', () => {
  for (const isolation of ['worktree', 'copy'] as const) {
    const log = wished()
    log.report(prepared(isolation))
    expect(log.state?.policyMode).toBeUndefined()
    log.report(profile('files'))
    expect(log.events.at(-1)).toMatchObject({ type: 'policy.mode_set', actor: dana, data: { mode: 'edits_free' } })
    expect(log.state?.policyMode).toMatchObject({ mode: 'edits_free', by: dana })
    // Said once: what a person says later stands, whatever the machine tells again.
    log.send(eli, 'policy.set_mode', { mode: 'ask' })
    log.report(prepared(isolation), profile('files'))
    expect(log.state?.policyMode).toMatchObject({ mode: 'ask', by: eli })
  }
})

it('[PO32] everything is asked in the folder itself, without a fence, and where nobody wished it', () => {
  const told = (isolation: Isolation, fence: 'files' | 'none', log = wished()): unknown => {
    log.report(prepared(isolation), profile(fence))
    return log.state?.policyMode
  }
  expect(told('in_place', 'files')).toBeUndefined()
  expect(told('worktree', 'none')).toBeUndefined()
  const plain = new Log()
  plain.send(dana, 'session.start', { project: 'p1', agent: 'demo' })
  plain.send(runner, 'lease.take', {})
  expect(told('worktree', 'files', plain)).toBeUndefined()
})

it('[PO32] the wish is gone where somebody says before that everything is asked, and on another machine', () => {
  const log = wished()
  expect(code(log.send(eli, 'policy.set_mode', { mode: 'ask' }))).toBe('ok')
  log.report(prepared('worktree'), profile('files'))
  expect(log.state?.policyMode).toMatchObject({ mode: 'ask', by: eli })
  const moved = wished()
  const change = (from: string, to: string) => ({
    type: 'session.state_changed' as const,
    data: { from, to, reason: 'agent_lost' },
    body: {},
  })
  moved.report(prepared('worktree'), change('starting', 'active'), change('active', 'interrupted'))
  expect(moved.state).toMatchObject({ freeEdits: dana, isolation: 'worktree' })
  expect(code(moved.send(dana, 'session.take_over', { runner: 'r2' }))).toBe('ok')
  expect(moved.state?.freeEdits).toBeUndefined()
  expect(moved.state?.isolation).toBeUndefined()
})

it('[PO32] to wish it takes the right to decide', () => {
  const data = { project: 'p1', agent: 'demo', freeEdits: true }
  const parsed = parseCommand({ id: 'c1', stream, type: 'session.start', data })
  if ('issues' in parsed) throw new Error('not read')
  expect(sendersOf(parsed.command, undefined)).toContain('decide')
})

it('[PO5] with edits free, what only looks at the folder is not asked either, and nothing that could do more', () => {
  const free = { mode: 'edits_free' } as const
  const opened = { [cwd]: cwd, 'src/a.ts': `${cwd}/src/a.ts`, l: '/etc/passwd', '.env': `${cwd}/.env` }
  const reading = (path: string) => ({
    agent: 'claude',
    tool: 'Read',
    input: JSON.stringify({ file_path: path }),
    cwd,
    opened,
  })
  expect(judge([], reading('src/a.ts'), free).effect).toBe('allow')
  for (const path of ['l', '.env', '/etc/passwd']) expect(judge([], reading(path), free).effect, path).toBe('ask')
  for (const text of ['pwd', 'ls', 'ls -la', 'git status', 'git diff --stat HEAD', 'git log --oneline -5']) {
    expect(judge([], bash(text), free).effect, text).toBe('allow')
  }
  const more = [
    'cat src/a.ts',
    'ls /etc',
    'ls ~',
    'git',
    'git push',
    'git diff --output=x',
    'git diff --ext-diff',
    'git log -p x',
    'git -c x=y status',
    '/tmp/git status',
    'git status; rm x',
    'git status > a',
    'git show x:y',
    'pwd x',
    'ls -R /',
  ]
  for (const text of more) {
    expect(judge([], bash(text), free).effect, text).toBe('ask')
  }
  expect(judge([], bash('git status', { run_in_background: true }), free).effect).toBe('allow')
  expect(judge([], bash('git status', { dangerouslyDisableSandbox: true }), free).effect).toBe('ask')
  expect(judge([], edit('src/a.ts'), free).effect).toBe('allow')
  expect(onlyLooks([])).toBe(false)
})
