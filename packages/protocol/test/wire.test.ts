import { createHash } from 'node:crypto'
import { commandData, parseCommand } from '@hotline/protocol/command'
import { errorCodes, errorKinds, errors, errorTitles, problem } from '@hotline/protocol/error'
import { eventSpecs } from '@hotline/protocol/events'
import { clientFrames } from '@hotline/protocol/frame'
import { serverFrames } from '@hotline/protocol/server-frame'
import { formatCursor, parseCursor } from '@hotline/protocol/stream'
import { protocolVersion } from '@hotline/protocol/version'
import { describe, expect, it } from 'vitest'
import { z } from 'zod'

const shape = (schema: z.ZodType): unknown => z.toJSONSchema(schema, { unrepresentable: 'any', io: 'input' })

/** Everything that goes over the wire, as JSON Schema. */
function wire(): string {
  const events = Object.entries(eventSpecs).map(([type, { since, data, body }]) => [
    type,
    since,
    shape(data),
    body ? shape(body) : null,
  ])
  const commands = Object.entries(commandData).map(([type, data]) => [type, shape(data)])
  const frames = [...Object.entries(clientFrames), ...Object.entries(serverFrames)].map(([name, frame]) => [
    name,
    shape(frame),
  ])
  return JSON.stringify({ events, commands, frames, errors, errorTitles, errorKinds })
}

describe('the wire', () => {
  it('[V1] changes only on purpose: its hash is pinned to its version', () => {
    const hash = createHash('sha256').update(wire()).digest('hex').slice(0, 16)
    // A change here is a change of what other programs speak: additions only, and a new type says since which version.
    expect({ version: protocolVersion, hash }).toEqual({ version: 1, hash: 'ee96b0cac05a01ee' })
  })

  it('[V1] every event says since which version it exists', () => {
    for (const [type, { since }] of Object.entries(eventSpecs)) {
      expect(since, type).toBeGreaterThanOrEqual(1)
      expect(since, type).toBeLessThanOrEqual(protocolVersion)
    }
  })

  it.each([
    [{ id: 'c1', stream: 'session:a', type: 'message.send', data: { text: 'x', role: 'admin' } }, 'role'],
    [{ id: 'c1', stream: 'session:a', type: 'message.send', data: {} }, 'data.text'],
    [{ id: 'c1', stream: 'session:../a', type: 'message.send', data: { text: 'x' } }, 'stream'],
    [{ id: '-rf', stream: 'session:a', type: 'message.send', data: { text: 'x' } }, 'id'],
    [{ id: 'c1', stream: 'session:a', type: 'message.explode', data: {} }, 'type'],
    [{ id: ['c1'], stream: 'session:a', type: 'message.send', data: { text: 'x' } }, 'id'],
    [
      { id: 'c1', stream: 'session:a', type: 'session.start', data: { project: 'p', agent: 'x', cwd: '../etc' } },
      'data.cwd',
    ],
    [
      {
        id: 'c1',
        stream: 'session:a',
        type: 'session.start',
        data: { project: 'p', agent: 'x', command: ['--version'] },
      },
      'data.command',
    ],
    [{ id: 'c1', stream: 'session:a', type: 'session.start', data: { project: 'p', agent: '-x' } }, 'data.agent'],
    [{ id: 'c1', stream: 'session:a', type: 'session.rename', data: { title: 'a\u0000b' } }, 'data.title'],
    [{ id: 'c1', stream: 'session:a', type: 'terminal.resize', data: { cols: '80', rows: 24 } }, 'data.cols'],
    [{ id: 'c1', stream: 'session:a', type: 'terminal.resize', data: { cols: null, rows: 24 } }, 'data.cols'],
    [null, ''],
    ['x', ''],
    [[], ''],
  ])('[V2] a command that is not exactly one is refused, and the answer says where (%#)', (input, where) => {
    const parsed = parseCommand(input)
    expect('issues' in parsed).toBe(true)
    expect(JSON.stringify(parsed)).toContain(where)
  })

  it.each([
    '1.5',
    'abcdefgh.-1',
    'abcdefgh.NaN',
    'ABCDEFGH.1',
    'abcdefgh.01',
    'abcdefgh.99999999999999999',
    '',
    ' now',
    'abcdefgh',
  ])('[V2] "%s" is not a cursor', (text) => {
    expect(parseCursor(text)).toBeUndefined()
  })

  it('[V2] a cursor survives being written and read', () => {
    const cursor = { epoch: 'abc12345', seq: 42 }
    expect(parseCursor(formatCursor(cursor))).toEqual(cursor)
    expect(parseCursor('0')).toBe('start')
    expect(parseCursor('now')).toBe('now')
  })

  it('[V3] every error code has a kind, and its status comes from the kind', () => {
    for (const code of errorCodes) {
      const { status } = errorKinds[errors[code]]
      expect(problem(code, 'x')).toMatchObject({ status, code, title: errorTitles[code] })
    }
  })
})
