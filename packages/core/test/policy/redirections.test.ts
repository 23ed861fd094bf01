import type { PolicyRequest } from '@hotline/core/policy/deed'
import { riskOfRequest } from '@hotline/core/policy/risk'
import { ruleForAsked } from '@hotline/core/policy/rule-for'
import { wordToType } from '@hotline/core/policy/shape'
import { describe, expect, it } from 'vitest'
import { allowing, bash, cwd, judge, now, ruleOf } from './requests.ts'

/** A command that writes, and where the runner found that this leads; by its own name unless it is said otherwise. */
function writing(command: string, files: Readonly<Record<string, string | undefined>>): PolicyRequest {
  const found = Object.entries(files).map(([name, opened]) => [name, opened ?? `${cwd}/${name}`])
  return { ...bash(command), opened: { [cwd]: cwd, ...Object.fromEntries(found) } }
}

const plain = (file: string): PolicyRequest => writing(`echo one > ${file}`, { [file]: undefined })
const until = '2026-02-01T00:00:00.000Z'

describe('what a shell writes into a file', () => {
  it('[PO30] is of medium risk in the folder of the session, so that a click allows it, and says which file', () => {
    const requests = [
      plain('a.txt'),
      writing('printf x >> notes/b.md', { 'notes/b.md': undefined }),
      writing('npm test > out.log 2>&1', { 'out.log': undefined }),
      writing('npm test 2>err.log', { 'err.log': undefined }),
      writing("bash -lc 'ls > a.txt'", { 'a.txt': undefined }),
      writing(`ls > ${cwd}/src/x.ts`, { [`${cwd}/src/x.ts`]: `${cwd}/src/x.ts` }),
    ]
    for (const request of requests) {
      const { risk, why } = riskOfRequest(request)
      expect(risk, request.input).toBe('medium')
      expect(why.join(), request.input).toMatch(/^it writes "/)
      expect(wordToType(request, 'medium'), request.input).toBeUndefined()
    }
    expect(riskOfRequest(bash('ls 2>/dev/null 2>&1'))).toEqual({ risk: 'low', why: [] })
  })

  it.each([
    ['outside of the folder', writing('ls > /etc/motd', { '/etc/motd': '/etc/motd' }), 'folder of the session'],
    ['above the folder', writing('ls > ../x', { '../x': '/w/x' }), 'folder of the session'],
    ['by a link that leads out', writing('ls > a.txt', { 'a.txt': '/etc/motd' }), 'folder of the session'],
    ['by a link to what is protected', writing('ls > a.txt', { 'a.txt': `${cwd}/.git/config` }), 'git'],
    ['where nobody has looked', bash('ls > a.txt'), 'folder of the session'],
    ['of git', plain('.git/hooks/pre-commit'), 'git'],
    ['with secrets', plain('.env'), 'secrets'],
    ['that says what agents may do', plain('.claude/settings.json'), '.claude/settings.json'],
    ['that others run', plain('package.json'), 'package.json'],
    ['of the system', writing('ls > /dev/tcp/a', { '/dev/tcp/a': '/dev/tcp/a' }), 'the system makes up'],
    ['one of two', writing('ls > a.txt 2> .env', { 'a.txt': undefined, '.env': undefined }), 'secrets'],
    ['after another folder', writing('cd .git && ls > config', { config: undefined }), 'another folder'],
    ['with an expansion', writing('ls > $A', {}), 'no plain file'],
    ['that is no name', writing('ls > >(sh)', {}), 'no plain file'],
    ['of a here-document', writing('cat > a.txt <<E\nE', { 'a.txt': undefined }), 'line break'],
    ['beside what could do harm', writing('rm x > a.txt', { 'a.txt': undefined }), '"rm"'],
    ['beside a shell', writing('sh x.sh > a.txt', { 'a.txt': undefined }), 'runs what comes after it'],
  ])('[PO30] is of high risk %s', (_, request, why) => {
    const found = riskOfRequest(request)
    expect(found.risk).toBe('high')
    expect(found.why.join()).toContain(why)
  })

  it('[PO30] is remembered by no rule, and is no free edit', () => {
    const request = plain('a.txt')
    const rules = [allowing('echo', 'one'), ruleOf('all', { effect: 'allow', match: { path: './' } })]
    expect(judge(rules, request, { mode: 'edits_free' }).effect).toBe('ask')
    const asked = { tool: 'Bash', title: 'x', input: request.input ?? '', cwd, opened: request.opened }
    const found = ruleForAsked(asked, 'claude', now)
    expect(found).toMatchObject({ ok: false, why: expect.stringContaining('writes into a file') as string })
    expect(judge([], request, { mode: 'hands_free', until }).effect).toBe('allow')
    expect(judge([], plain('.env'), { mode: 'hands_free', until }).effect).toBe('ask')
  })

  it('[PO30] is denied by a rule for the file, by its name and by where links lead', () => {
    const no = ruleOf('no', { effect: 'deny', match: { path: 'kept/' } })
    expect(judge([no], plain('kept/a')).effect).toBe('deny')
    expect(judge([no], writing('ls > x', { x: `${cwd}/kept/a` })).effect).toBe('deny')
    expect(judge([no], plain('free/a')).effect).toBe('ask')
  })
})
