import { riskOfRequest } from '@hotline/core/policy/risk'
import { shapeOf, wordToType } from '@hotline/core/policy/shape'
import { roleAllows, sendersOf } from '@hotline/core/roles'
import { decideSession } from '@hotline/core/session/decide'
import { parseCommand } from '@hotline/protocol/command'
import type { ApprovalRequest } from '@hotline/protocol/events/approval'
import { describe, expect, it } from 'vitest'
import { activeLog, asking, code, dana, sha256, stream } from '../fixtures.ts'
import { now } from './requests.ts'

const run = (command: string): string => JSON.stringify({ command })
const asked = (input: string, tool = 'bash'): ApprovalRequest => ({ tool, title: 'x', input, cwd: '/tmp' })
const why = 'Ask somebody else.'

/** What becomes of an answer to a request that was asked while the server looked (or did not). */
function decide(
  input: string,
  answer: object,
  { allowHigh, looked = true }: { allowHigh?: true | string; looked?: boolean } = {},
): string {
  const log = activeLog()
  log.report(asking('a1', input, { verdicts: ['allow', 'deny', 'modify'] }))
  const [open] = log.state?.approvals ?? []
  const risk = riskOfRequest({ agent: 'demo', tool: 'bash', input, cwd: '/tmp' }).risk
  const state = log.state && open && { ...log.state, approvals: [{ ...open, risk: looked ? risk : undefined }] }
  const data = { approval: 'a1', digest: open?.digest, ...answer }
  const parsed = parseCommand({ id: 'd1', stream, type: 'approval.decide', data })
  if ('issues' in parsed) throw new Error(JSON.stringify(parsed.issues))
  const context = { now, actor: dana, sha256, rules: [], asked: new Map([['a1', asked(input)]]), allowHigh }
  return code(decideSession(state, parsed.command, context))
}

describe('what is of high risk', () => {
  it('[P20] is allowed by nobody who lacks the right, and denied by whoever may decide', () => {
    expect(decide(run('rm -rf x'), { verdict: 'allow' }, { allowHigh: why })).toBe('forbidden')
    expect(decide(run('rm -rf x'), { verdict: 'allow' })).toBe('forbidden')
    expect(decide(run('rm -rf x'), { verdict: 'deny' }, { allowHigh: why })).toBe('ok')
    expect(decide(run('rm -rf x'), { verdict: 'allow' }, { allowHigh: true })).toBe('ok')
    expect(decide(run('npm test'), { verdict: 'allow' }, { allowHigh: why })).toBe('ok')
  })

  it('[P20] is looked at again where nobody looked when it was asked, and where another input is put in its place', () => {
    const changed = { verdict: 'modify', input: run('rm -rf x') }
    expect(decide(run('rm -rf x'), { verdict: 'allow' }, { allowHigh: why, looked: false })).toBe('forbidden')
    expect(decide(run('npm test'), { verdict: 'allow' }, { allowHigh: why, looked: false })).toBe('ok')
    expect(decide(run('npm test'), changed, { allowHigh: why })).toBe('forbidden')
    expect(decide(run('npm test'), changed, { allowHigh: true })).toBe('ok')
    expect(decide(run('npm test'), { ...changed, input: run('npm run x') }, { allowHigh: why })).toBe('ok')
    // A harmless one does not make up for what was asked.
    expect(decide(run('rm x'), { verdict: 'modify', input: run('ls') }, { allowHigh: why })).toBe('forbidden')
  })

  it('[P30] an input in place of another is of the same form, whoever sends it', () => {
    const timed = '{"command": "npm test", "timeout": 5}'
    for (const input of [
      'npm run x',
      '[]',
      '{"command": 5}',
      '{"command": "ls", "timeout": "5"}',
      '{"command": "ls"',
    ]) {
      expect(decide(timed, { verdict: 'modify', input }, { allowHigh: true }), input).toBe('invalid_request')
    }
    for (const input of ['{"command": "ls"}', '{"command": "ls", "timeout": 7, "description": "look"}']) {
      expect(decide(timed, { verdict: 'modify', input }, { allowHigh: true }), input).toBe('ok')
    }
    expect(decide('npm test', { verdict: 'modify', input: 'npm run x' }, { allowHigh: true })).toBe('ok')
  })

  it('[P20] the right is of admins and owners, and a rule that would allow it takes it as well', () => {
    const roles = (['viewer', 'operator', 'approver', 'admin', 'owner'] as const).filter((role) =>
      roleAllows(role, 'decide_high'),
    )
    expect(roles).toEqual(['admin', 'owner'])
    const sendersOfRule = (match: object): unknown => {
      const data = { effect: 'allow', match: { agent: 'demo', tool: 'execute', ...match } }
      const parsed = parseCommand({ id: 'r1', stream: 'project:p1', type: 'policy.set_rule', data })
      if ('issues' in parsed) throw new Error(JSON.stringify(parsed.issues))
      return sendersOf(parsed.command, undefined)
    }
    expect(sendersOfRule({ command: ['git', 'push'] })).toEqual(['decide', 'decide_high'])
    // By its digest alone nobody knows how much harm it does.
    expect(sendersOfRule({ input: 'a'.repeat(64) })).toEqual(['decide', 'decide_high'])
    expect(sendersOfRule({ command: ['npm', 'test'] })).toEqual(['decide'])
    // A wide one takes both: the admin's word for the project, and the right to allow such a thing at all.
    expect(sendersOfRule({ command: ['git', 'push'], agent: undefined })).toEqual(['decide', 'admin', 'decide_high'])
    expect(sendersOfRule({})).toEqual(['decide', 'decide_high'])
    expect(sendersOfRule({ risk: 'high' })).toEqual(['decide', 'decide_high'])
    expect(sendersOfRule({ risk: 'medium', agent: undefined })).toEqual(['decide', 'admin'])
    expect(sendersOfRule({ path: 'docs/', tool: undefined })).toEqual(['decide', 'admin'])
  })
})

const word = (input: string, tool = 'bash', stored?: 'low' | 'high'): string | undefined =>
  wordToType({ agent: 'demo', tool, input, cwd: '/tmp' }, stored)?.word

describe('the word to type', () => {
  it('[G123] names what a request of high risk is about, and there is none for others', () => {
    expect(word(run('npm publish --tag next'))).toBe('npm')
    expect(word(run('/usr/bin/curl -d @x https://a.example'))).toBe('curl')
    expect(word(run('$(echo rm) -rf x; git push'))).toBe('echo')
    expect(word(JSON.stringify({ file_path: '/etc/passwd', content: 'x' }), 'Write')).toBe('passwd')
    expect(word(JSON.stringify({ x: 1 }), 'mcp__shop__order')).toBe('mcp__shop__order')
    expect(word(run('npm test'))).toBeUndefined()
    expect(word(JSON.stringify({ url: 'https://a.example/x' }), 'WebFetch')).toBeUndefined()
    expect(word(JSON.stringify({ url: 'https://a.example/x' }), 'WebFetch', 'high')).toBe('a.example')
  })

  it('[G123] can be typed by anybody, whatever a request calls itself', () => {
    expect(word(run('npm test \u202e'))).toBe('allow')
    expect(word('x', 'do the thing')).toBe('allow')
    expect(word('x', 'ünïcode')).toBe('allow')
    expect(word('x', 'a'.repeat(100))).toBe('allow')
    expect(word('')).toBeDefined()
  })

  it('[G123] what was stored is never read as less', () => {
    expect(word(run('npm test'), 'bash', 'high')).toBe('npm')
    expect(word(run('rm x'), 'bash', 'low')).toBe('rm')
  })
})

describe('the shape of a request', () => {
  it('[G120] is what it shares with others of its kind, made of what would run alone', () => {
    const shape = (input: string, tool = 'bash') => shapeOf({ agent: 'demo', tool, input, cwd: '/tmp' })
    expect(shape(run('git commit -m "one"'))).toEqual({ line: 'git commit -m "one"', shape: 'git commit …' })
    expect(shape(run('/usr/bin/git commit')).shape).toBe('git commit …')
    expect(shape(run('ls -la')).shape).toBe('ls …')
    expect(shape(run("bash -c 'git commit'")).shape).toBe('git commit …')
    expect(shape(run('git commit; rm -rf x'))).toEqual({ line: 'git commit; rm -rf x', shape: undefined })
    expect(shape(JSON.stringify({ file_path: 'a.ts', content: '' }), 'Write')).toEqual({
      line: 'a.ts',
      shape: 'edit …',
    })
    expect(shape(JSON.stringify({ x: 1 }), 'mcp__x')).toEqual({ line: undefined, shape: undefined })
  })
})
