import { BranchName } from '@hotline/protocol/branch-name'
import { parseCommand } from '@hotline/protocol/command'
import { describe, expect, it } from 'vitest'

describe('a branch that somebody names', () => {
  it.each([
    'main',
    'release/1.2',
    'hotline/fix-the-login-0a1b',
    'v1.0',
    'feature/größe',
    '機能',
    'a@b',
    'x#12',
    'lock',
  ])('[DR8] %s is one', (name) => expect(BranchName.safeParse(name).success).toBe(true))

  it.each([
    '',
    '-x',
    '--upload-pack=..',
    'a..b',
    'a/../b',
    '@{',
    'main@{1}',
    'x.lock',
    'x.lock/y',
    'a\nb',
    'a\n',
    'a\u0000b',
    '$(id)',
    '`id`',
    'a;b',
    'a b',
    'a:b',
    'a^',
    'a~1',
    'a*',
    'a?',
    'a[b',
    'a\\b',
    '/a',
    'a/',
    'a//b',
    '.a',
    'a/.b',
    'a.',
    'a./b',
    'HEAD',
    'a\u202eb',
    'a\u200bb',
    'x'.repeat(201),
  ])('[T65] %j is none, and refused', (into) => {
    const data = { draft: 'd', digest: 'a'.repeat(64), keep: ['a'], commit: { message: 'm', into } }
    const parsed = parseCommand({ id: 'c1', stream: 'session:a', type: 'draft.review', data })
    expect(JSON.stringify(parsed)).toContain('data.commit.into')
  })
})
