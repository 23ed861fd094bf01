import { goingBy, nameOf } from '@hotline/core/agent-name'
import { describe, expect, it } from 'vitest'

const session = (id: string, title: string, agent = 'command') => ({ session: id, title, agent })

describe('names of agents', () => {
  it.each([
    ['Fix the login!', 'fix-the-login'],
    ['  Café — naïve  ', 'cafe-naive'],
    ['my_agent', 'my_agent'],
    ['日本', ''],
    ['../../etc/passwd', 'etc-passwd'],
    ['x'.repeat(100), 'x'.repeat(64)],
  ])('[AW2] "%s" can be called "%s"', (title, name) => {
    expect(nameOf(title)).toBe(name)
  })

  it('[AW2] an id goes before a title, and a title before the name of the agent', () => {
    const all = [
      session('a', 'b'),
      session('b', 'claude'),
      session('c', 'Claude', 'claude'),
      session('d', 'x', 'claude'),
    ]
    const ids = (name: string): string[] => goingBy(name, all).map((one) => one.session)
    expect(ids('b')).toEqual(['b'])
    expect(ids('claude')).toEqual(['b', 'c'])
    expect(ids('command')).toEqual(['a', 'b'])
    expect(ids('nobody')).toEqual([])
  })
})
