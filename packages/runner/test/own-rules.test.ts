import { mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { OwnRules } from '@hotline/protocol/own-rules'
import { openTempDir } from '@hotline/testing/temp-dir'
import { waitFor } from '@hotline/testing/wait-for'
import { describe, expect, test } from 'vitest'
import { readOwnRules } from '../src/profiles/own-rules.ts'
import { openBench } from './bench.ts'

const settings = {
  env: { ANTHROPIC_API_KEY: 'sk-ant-secret' },
  apiKeyHelper: '/home/me/give-key',
  permissions: {
    allow: ['Bash(npm test:*)', 5, 'Bash(curl -H Token:abcdefgh12345678ijklmnop)'],
    deny: ['Read(./.env)'],
    ask: ['Bash(git push:*)'],
    defaultMode: 'acceptEdits',
  },
}

describe('the rules that an agent keeps itself', () => {
  test('[PO34] of Claude Code are read from the settings of the person, and nothing else of these', async () => {
    const dir = await openTempDir()
    const HOME = dir.path
    mkdirSync(join(HOME, '.claude'))
    const file = join(HOME, '.claude/settings.json')
    const read = () => readOwnRules('claude', { HOME })
    expect(read()).toBeUndefined()
    writeFileSync(file, JSON.stringify(settings))
    const told = read()
    expect(OwnRules.parse(told)).toEqual({
      file: '~/.claude/settings.json',
      rules: [
        { effect: 'deny', text: 'Read(./.env)' },
        { effect: 'ask', text: 'Bash(git push:*)' },
        { effect: 'allow', text: 'Bash(npm test:*)' },
        { effect: 'allow', text: 'Bash(curl -H Token:…)' },
      ],
      more: 0,
    })
    expect(JSON.stringify(told)).not.toMatch(/sk-ant|give-key|acceptEdits/)
    expect(readFileSync(file, 'utf8')).toBe(JSON.stringify(settings))
    const many = { permissions: { allow: Array.from({ length: 130 }, (_, at) => `Bash(x${at}${'y '.repeat(200)})`) } }
    writeFileSync(file, JSON.stringify(many))
    expect(OwnRules.parse(read())).toMatchObject({ more: 30 })
    for (const text of ['', 'no JSON', '[]', '{"permissions":5}', '{"permissions":{"allow":"x"}}', '['.repeat(100)]) {
      writeFileSync(file, text)
      expect(read(), text.slice(0, 20)).toBeUndefined()
    }
    expect(readOwnRules('claude', { HOME: '/nowhere', CLAUDE_CONFIG_DIR: join(HOME, '.claude') })).toBeUndefined()
    expect(readOwnRules(undefined, { HOME })).toBeUndefined()
    await dir.remove()
  })

  test('[PO34] of Codex are read from its rules for commands', async () => {
    const dir = await openTempDir()
    const HOME = dir.path
    const rules = join(HOME, '.codex/rules')
    mkdirSync(rules, { recursive: true })
    const lines = [
      'prefix_rule(pattern=["git", "status"], decision="allow")',
      '# prefix_rule(pattern=["rm"], decision="allow")',
      'prefix_rule(\n  pattern = ["git",\n    ["push", "fetch"]],\n  decision = "prompt",\n)',
      'prefix_rule(pattern=["rm"], decision="forbidden")',
      'prefix_rule(pattern=["ls"])',
    ]
    writeFileSync(join(rules, 'default.rules'), lines.join('\n'))
    symlinkSync('/dev/zero', join(rules, 'odd.rules'))
    expect(readOwnRules('codex', { HOME })).toEqual({
      file: '~/.codex/rules',
      rules: [
        { effect: 'allow', text: '["git", "status"]' },
        { effect: 'ask', text: '["git", ["push", "fetch"]]' },
        { effect: 'deny', text: '["rm"]' },
        { effect: 'allow', text: '["ls"]' },
      ],
      more: 0,
    })
    expect(readdirSync(rules)).toEqual(['default.rules', 'odd.rules'])
    await dir.remove()
  })

  test('[PO34] are told with what can be started, as they are now', async () => {
    await using bench = await openBench({
      before: ({ cwd }) => {
        mkdirSync(join(cwd, '../.claude'))
        writeFileSync(join(cwd, '../.claude/settings.json'), JSON.stringify(settings))
      },
    })
    const told = () => bench.world.announced.at(-1)?.agents.find(({ agent }) => agent === 'claude')?.ownRules
    await waitFor(() => told() !== undefined, { what: 'its rules' })
    expect(told()?.rules).toContainEqual({ effect: 'allow', text: 'Bash(npm test:*)' })
    expect(bench.world.announced.at(-1)?.agents.find(({ agent }) => agent === 'demo')).not.toHaveProperty('ownRules')
  })
})
