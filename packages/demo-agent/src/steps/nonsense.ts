import type { NonsenseKind } from '../script.ts'
import { freshId } from '../turn.ts'
import type { Turn } from '../turn.ts'

/** Just above the 32 MiB at which the protocol's own library closes a connection. */
const HUGE_LINE_BYTES = 40 * 1024 * 1024
const DEEP_JSON_BYTES = 200_000
const BINARY_BYTES = 4096
const PIECE_BYTES = 64 * 1024

/** Writes something to stdout that no client should expect. Throws only if stdout is broken. */
export async function speakNonsense(turn: Turn, kind: NonsenseKind, bytes: number | undefined): Promise<void> {
  const { out, session } = turn
  const note = (update: unknown): Record<string, unknown> => {
    return { jsonrpc: '2.0', method: 'session/update', params: { sessionId: session.id, update } }
  }
  const says = (text: string): Record<string, unknown> => {
    const messageId = freshId('msg')
    return note({ sessionUpdate: 'agent_message_chunk', content: { type: 'text', text }, messageId })
  }
  switch (kind) {
    case 'text':
      return out.write('Warning: this line is not JSON at all.\n')
    case 'badJson':
      return out.write('{"jsonrpc":"2.0","method":"session/update","params":{"sessionId":\n')
    case 'hugeLine':
      return out.writePieces(stretch(line(says('@')), '@', 'x', bytes ?? HUGE_LINE_BYTES))
    case 'unknownMethod':
      return out.write(
        line({ jsonrpc: '2.0', id: 'nonsense-1', method: '_demo/drain_the_queue', params: { deep: [1, 2, 3] } }),
        line({ jsonrpc: '2.0', method: '_demo/something_happened', params: null }),
      )
    case 'unknownUpdate':
      return out.write(line(note({ sessionUpdate: 'quantum_update', spin: 0.5, content: { type: 'hologram' } })))
    case 'wrongId':
      return out.write(
        line({ jsonrpc: '2.0', id: 987_654_321, result: { stopReason: 'end_turn' } }),
        line({ jsonrpc: '2.0', id: 'never-asked', error: { code: -32603, message: 'an answer to nothing' } }),
      )
    case 'deepJson': {
      const depth = Math.floor((bytes ?? DEEP_JSON_BYTES) / 2)
      const toolCall = { sessionUpdate: 'tool_call', toolCallId: freshId('tool'), title: 'Deep', rawInput: '@' }
      return out.write(line(note(toolCall)).replace('"@"', '['.repeat(depth) + ']'.repeat(depth)))
    }
    case 'batch':
      return out.write(line([says('first of a batch'), says('second of a batch')]))
    case 'nullUpdate':
      return out.write(line(note(null)))
    case 'binary':
      return out.write(notUtf8(bytes ?? BINARY_BYTES), '\n')
  }
}

function line(value: unknown): string {
  return `${JSON.stringify(value)}\n`
}

/** Blows one letter of a line up until the line has about `bytes` bytes, piece by piece. */
function* stretch(whole: string, letter: string, filler: string, bytes: number): Generator<string> {
  const at = whole.indexOf(letter)
  yield whole.slice(0, at)
  let left = Math.max(0, bytes - whole.length + letter.length)
  const piece = filler.repeat(PIECE_BYTES)
  for (; left >= PIECE_BYTES; left -= PIECE_BYTES) yield piece
  yield filler.repeat(left)
  yield whole.slice(at + letter.length)
}

/** Every byte value but the newline, over and over: the same bytes each time, and never valid UTF-8. */
function notUtf8(bytes: number): Uint8Array {
  return Uint8Array.from({ length: bytes }, (_, n) => {
    const value = 255 - (n % 256)
    return value === 10 ? 255 : value
  })
}
