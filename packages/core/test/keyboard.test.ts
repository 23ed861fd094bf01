import { describe, expect, it } from 'vitest'
import { activeLog, code, dana, eli, type Log } from './fixtures.ts'

function terminal(): Log {
  const log = activeLog()
  if (!log.state?.capabilities) throw new Error('there is no session')
  log.state = { ...log.state, capabilities: { ...log.state.capabilities, input: 'keys', screen: true } }
  return log
}

describe('the keyboard of a terminal', () => {
  it('[S18] one window has it: it types and sets the size, and everybody else is refused, until they take it', () => {
    const log = terminal()
    // While nobody has it everybody may type.
    expect(code(log.send(eli, 'input.send', { text: 'a' }))).toBe('ok')
    const size = { cols: 100, rows: 30 }
    expect(code(log.send(dana, 'terminal.take', { keyboard: 'one', size }))).toBe('ok')
    expect(log.types.slice(-2)).toEqual(['terminal.taken', 'terminal.resized'])
    expect(log.state?.keyboard).toMatchObject({ keyboard: 'one', by: dana })
    expect(code(log.send(dana, 'input.send', { text: 'b', keyboard: 'one' }))).toBe('ok')
    expect(code(log.send(dana, 'terminal.resize', { cols: 90, rows: 20, keyboard: 'one' }))).toBe('ok')
    const refused = log.send(eli, 'input.send', { text: 'c' })
    expect(refused).toMatchObject({ ok: false, problem: { code: 'keyboard_taken', by: dana } })
    // Another window of the same person is another one.
    expect(code(log.send(dana, 'input.send', { text: 'd', keyboard: 'two' }))).toBe('keyboard_taken')
    expect(code(log.send(eli, 'terminal.resize', { cols: 10, rows: 10 }))).toBe('keyboard_taken')
    expect(code(log.send(eli, 'message.send', { text: 'typed as well' }))).toBe('keyboard_taken')
    expect(code(log.send(dana, 'message.send', { text: 'mine' }))).toBe('ok')
    // Taken over, everybody sees by whom.
    expect(code(log.send(eli, 'terminal.take', { keyboard: 'three' }))).toBe('ok')
    expect(log.state?.keyboard).toMatchObject({ keyboard: 'three', by: eli })
    expect(code(log.send(dana, 'input.send', { text: 'e', keyboard: 'one' }))).toBe('keyboard_taken')
    // Who has lost it gives nothing back.
    expect(code(log.send(dana, 'terminal.release', { keyboard: 'one' }))).toBe('ok')
    expect(log.state?.keyboard?.keyboard).toBe('three')
    log.send(eli, 'terminal.release', { keyboard: 'three' })
    expect(log.state?.keyboard).toBeUndefined()
    expect(code(log.send(dana, 'input.send', { text: 'f' }))).toBe('ok')
  })

  it('[S18] it goes with the program, and is only where there is one', () => {
    const log = terminal()
    log.send(dana, 'terminal.take', { keyboard: 'one' })
    const gone = { from: 'active', to: 'interrupted', reason: 'agent_exited' }
    log.report({ type: 'session.state_changed', data: gone, body: {} })
    expect(log.state?.keyboard).toBeUndefined()
    expect(code(log.send(dana, 'terminal.take', { keyboard: 'one' }))).toBe('invalid_transition')
    expect(code(activeLog().send(dana, 'terminal.take', { keyboard: 'one' }))).toBe('unsupported')
  })
})
