import { type Answer, answerOf, callId, type Item, usedTokens } from './conversation.ts'
import { type Dialect, object, objects, sse, textOf } from './dialect.ts'

/** Anthropic's Messages. */
export const anthropic: Dialect = {
  name: 'anthropic',
  path: /\/messages$/,
  read: (body) => ({
    model: String(body['model']),
    stream: body['stream'] === true,
    items: objects(body['messages']).flatMap(itemsOf),
    tools: objects(body['tools']).map(({ name, input_schema: schema }) => ({
      name: String(name),
      schema: object(schema),
      kind: 'function' as const,
    })),
    shape: shapeOf(body),
  }),
  stream: (answer, call) => {
    const { stop_reason, content, ...head } = messageOf(answer, call.model)
    const frames: [string, Record<string, unknown>][] = [
      ['message_start', { message: { ...head, content: [], stop_reason: null, usage: usageOf(1) } }],
    ]
    content.forEach((block, index) => {
      for (const [type, rest] of blockFrames(block, answer)) frames.push([type, { index, ...rest }])
    })
    frames.push(
      ['message_delta', { delta: { stop_reason, stop_sequence: null }, usage: { output_tokens: usedTokens.out } }],
      ['message_stop', {}],
    )
    return frames.map(([type, rest]) => sse({ type, ...rest }, type))
  },
  whole: (answer, call) => messageOf(answer, call.model),
  refusal: (status) => ({
    type: 'error',
    error: { type: typeOf(status), message: `refused by the script: ${status}` },
  }),
}

interface Block {
  type: string
  [member: string]: unknown
}

function itemsOf(message: Record<string, unknown>): Item[] {
  const { role, content } = message
  const blocks = objects(content)
  if (role === 'assistant') return [{ by: 'agent', answer: blocks.map(({ id }) => answerOf(id)).find(Boolean) }]
  if (role !== 'user') return []
  const results: Item[] = blocks.some(({ type }) => type === 'tool_result') ? [{ by: 'tool' }] : []
  const text = textOf(typeof content === 'string' ? content : blocks.filter(({ type }) => type === 'text'))
  return text === '' ? results : [...results, { by: 'user', text }]
}

function shapeOf(body: Record<string, unknown>): Record<string, unknown> | undefined {
  const format = object(object(body['output_config'])['format'] ?? body['output_format'])
  return format['type'] === 'json_schema' ? object(format['schema']) : undefined
}

function messageOf(answer: Answer, model: string): Record<string, unknown> & { content: Block[] } {
  const content: Block[] = []
  if (answer.think !== undefined) content.push({ type: 'thinking', thinking: answer.think, signature: 'scripted' })
  const text = answer.pieces.join('')
  if (text !== '') content.push({ type: 'text', text })
  answer.calls.forEach(({ tool, input }, index) =>
    content.push({ type: 'tool_use', id: callId('toolu_', answer.id, index), name: tool.name, input }),
  )
  return {
    id: `msg_${answer.id}`,
    type: 'message',
    role: 'assistant',
    model,
    content,
    stop_reason: answer.calls.length > 0 ? 'tool_use' : 'end_turn',
    stop_sequence: null,
    usage: usageOf(usedTokens.out),
  }
}

function usageOf(outputTokens: number): Record<string, number> {
  return {
    input_tokens: usedTokens.in,
    cache_creation_input_tokens: 0,
    cache_read_input_tokens: 0,
    output_tokens: outputTokens,
  }
}

function blockFrames(block: Block, { pieces }: Answer): [string, Record<string, unknown>][] {
  const start = (empty: Block): [string, Record<string, unknown>] => ['content_block_start', { content_block: empty }]
  const delta = (rest: Record<string, unknown>): [string, Record<string, unknown>] => [
    'content_block_delta',
    { delta: rest },
  ]
  const stop: [string, Record<string, unknown>] = ['content_block_stop', {}]
  if (block.type === 'text') {
    return [start({ type: 'text', text: '' }), ...pieces.map((text) => delta({ type: 'text_delta', text })), stop]
  }
  if (block.type === 'thinking') {
    return [
      start({ type: 'thinking', thinking: '', signature: '' }),
      delta({ type: 'thinking_delta', thinking: block['thinking'] }),
      delta({ type: 'signature_delta', signature: block['signature'] }),
      stop,
    ]
  }
  return [
    start({ ...block, input: {} }),
    delta({ type: 'input_json_delta', partial_json: JSON.stringify(block['input']) }),
    stop,
  ]
}

/** As its errors name themselves: https://platform.claude.com/docs/en/api/errors */
function typeOf(status: number): string {
  if (status === 400) return 'invalid_request_error'
  return status === 529 ? 'overloaded_error' : 'api_error'
}
