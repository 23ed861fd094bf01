import { type Answer, answerOf, callId, type Item, type OfferedTool, usedTokens } from './conversation.ts'
import { type Dialect, object, objects, sse, textOf } from './dialect.ts'

/** OpenAI's Responses. */
export const responses: Dialect = {
  name: 'responses',
  path: /\/responses$/,
  read: (body) => ({
    model: String(body['model']),
    stream: body['stream'] === true,
    items:
      typeof body['input'] === 'string'
        ? [{ by: 'user', text: body['input'] }]
        : objects(body['input']).flatMap(itemsOf),
    tools: objects(body['tools']).flatMap((tool) => toolsOf(tool)),
    shape: shapeOf(body),
  }),
  stream: (answer, { model }) => {
    const frames: Record<string, unknown>[] = []
    const output = outputOf(answer)
    const head = { id: `resp_${answer.id}`, object: 'response', created_at: 0, model, status: 'in_progress' }
    frames.push({ type: 'response.created', response: { ...head, output: [] } })
    output.forEach((item, output_index) => {
      for (const { type, ...rest } of itemFrames(item, answer)) frames.push({ type, output_index, ...rest })
    })
    frames.push({ type: 'response.completed', response: { ...head, status: 'completed', output, usage } })
    return frames.map((frame, index) => sse({ ...frame, sequence_number: index }, String(frame['type'])))
  },
  whole: (answer, { model }) => ({
    id: `resp_${answer.id}`,
    object: 'response',
    created_at: 0,
    model,
    status: 'completed',
    output: outputOf(answer),
    usage,
  }),
  refusal: (status) => ({
    error: {
      type: status === 400 ? 'invalid_request_error' : 'server_error',
      code: 'scripted',
      message: `refused by the script: ${status}`,
    },
  }),
}

const usage = {
  input_tokens: usedTokens.in,
  input_tokens_details: { cached_tokens: 0 },
  output_tokens: usedTokens.out,
  output_tokens_details: { reasoning_tokens: 0 },
  total_tokens: usedTokens.in + usedTokens.out,
}

interface OutputItem {
  type: string
  id: string
  [member: string]: unknown
}

function itemsOf(item: Record<string, unknown>): Item[] {
  const type = typeof item['type'] === 'string' ? item['type'] : 'message'
  if (type === 'message') {
    if (item['role'] === 'assistant') return [{ by: 'agent' }]
    return item['role'] === 'user' ? [{ by: 'user', text: textOf(item['content']) }] : []
  }
  if (type.endsWith('_output')) return [{ by: 'tool' }]
  if (type.endsWith('_call') || type === 'reasoning') return [{ by: 'agent', answer: answerOf(item['call_id']) }]
  return []
}

function toolsOf(tool: Record<string, unknown>, namespace?: string): OfferedTool[] {
  const within = namespace === undefined ? {} : { namespace }
  if (tool['type'] === 'namespace') return objects(tool['tools']).flatMap((one) => toolsOf(one, String(tool['name'])))
  if (tool['type'] === 'custom') return [{ name: String(tool['name']), schema: {}, kind: 'custom', ...within }]
  if (tool['type'] !== 'function') return []
  return [{ name: String(tool['name']), schema: object(tool['parameters']), kind: 'function', ...within }]
}

function shapeOf(body: Record<string, unknown>): Record<string, unknown> | undefined {
  const format = object(object(body['text'])['format'])
  return format['type'] === 'json_schema' ? object(format['schema']) : undefined
}

function outputOf(answer: Answer): OutputItem[] {
  const output: OutputItem[] = []
  if (answer.think !== undefined) {
    output.push({ type: 'reasoning', id: `rs_${answer.id}`, summary: [{ type: 'summary_text', text: answer.think }] })
  }
  const text = answer.pieces.join('')
  if (text !== '') {
    const content = [{ type: 'output_text', text, annotations: [] }]
    output.push({ type: 'message', id: `msg_${answer.id}`, role: 'assistant', status: 'completed', content })
  }
  answer.calls.forEach(({ tool, input }, index) => {
    const called = { call_id: callId('call_', answer.id, index), name: tool.name, status: 'completed' }
    const within = tool.namespace === undefined ? {} : { namespace: tool.namespace }
    output.push(
      tool.kind === 'custom'
        ? { type: 'custom_tool_call', id: callId('ctc_', answer.id, index), ...called, ...within, input: String(input) }
        : {
            type: 'function_call',
            id: callId('fc_', answer.id, index),
            ...called,
            ...within,
            arguments: JSON.stringify(input),
          },
    )
  })
  return output
}

function itemFrames(item: OutputItem, { pieces }: Answer): ({ type: string } & Record<string, unknown>)[] {
  const item_id = item.id
  const done = { type: 'response.output_item.done', item }
  const added = (empty: Record<string, unknown>): { type: string; item: unknown } => ({
    type: 'response.output_item.added',
    item: { ...item, ...empty, status: 'in_progress' },
  })
  switch (item.type) {
    case 'message': {
      const place = { item_id, content_index: 0 }
      const part = (text: string): unknown => ({ type: 'output_text', text, annotations: [] })
      const text = pieces.join('')
      return [
        added({ content: [] }),
        { type: 'response.content_part.added', ...place, part: part('') },
        ...pieces.map((delta) => ({ type: 'response.output_text.delta', ...place, delta })),
        { type: 'response.output_text.done', ...place, text },
        { type: 'response.content_part.done', ...place, part: part(text) },
        done,
      ]
    }
    case 'reasoning': {
      const place = { item_id, summary_index: 0 }
      const [part] = objects(item['summary'])
      const text = part?.['text']
      return [
        added({ summary: [] }),
        { type: 'response.reasoning_summary_part.added', ...place, part: { type: 'summary_text', text: '' } },
        { type: 'response.reasoning_summary_text.delta', ...place, delta: text },
        { type: 'response.reasoning_summary_text.done', ...place, text },
        { type: 'response.reasoning_summary_part.done', ...place, part },
        done,
      ]
    }
    default: {
      const member = item.type === 'custom_tool_call' ? 'input' : 'arguments'
      const name = item.type === 'custom_tool_call' ? 'custom_tool_call_input' : 'function_call_arguments'
      return [
        added({ [member]: '' }),
        { type: `response.${name}.delta`, item_id, delta: item[member] },
        { type: `response.${name}.done`, item_id, [member]: item[member] },
        done,
      ]
    }
  }
}
