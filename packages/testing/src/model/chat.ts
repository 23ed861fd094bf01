import { type Answer, answerOf, callId, type Item, usedTokens } from './conversation.ts'
import { type Dialect, object, objects, sse, textOf } from './dialect.ts'

const usage = {
  prompt_tokens: usedTokens.in,
  completion_tokens: usedTokens.out,
  total_tokens: usedTokens.in + usedTokens.out,
}

/** OpenAI's Chat Completions. */
export const chat: Dialect = {
  name: 'chat',
  path: /\/chat\/completions$/,
  read: (body) => ({
    model: String(body['model']),
    stream: body['stream'] === true,
    items: objects(body['messages']).flatMap(itemsOf),
    tools: objects(body['tools']).map((tool) => {
      const told = object(tool['function'] ?? tool['custom'])
      const kind = tool['type'] === 'custom' ? ('custom' as const) : ('function' as const)
      return { name: String(told['name']), schema: object(told['parameters']), kind }
    }),
    shape: shapeOf(body),
  }),
  stream: (answer, { model }) => {
    const deltas: Record<string, unknown>[] = [{ role: 'assistant', content: '' }]
    if (answer.think !== undefined) deltas.push({ reasoning_content: answer.think })
    for (const content of answer.pieces) deltas.push({ content })
    toolCalls(answer).forEach((call, index) => {
      const { name, arguments: args } = call.function
      deltas.push({ tool_calls: [{ index, ...call, function: { name, arguments: '' } }] })
      deltas.push({ tool_calls: [{ index, function: { arguments: args } }] })
    })
    const chunk = (choices: unknown[], rest = {}): string =>
      sse({ id: `chatcmpl-${answer.id}`, object: 'chat.completion.chunk', created: 0, model, choices, ...rest })
    return [
      ...deltas.map((delta) => chunk([{ index: 0, delta, finish_reason: null }])),
      chunk([{ index: 0, delta: {}, finish_reason: finish(answer) }]),
      chunk([], { usage }),
      'data: [DONE]\n\n',
    ]
  },
  whole: (answer, { model }) => ({
    id: `chatcmpl-${answer.id}`,
    object: 'chat.completion',
    created: 0,
    model,
    choices: [
      {
        index: 0,
        message: {
          role: 'assistant',
          content: answer.pieces.join(''),
          ...(answer.calls.length > 0 ? { tool_calls: toolCalls(answer) } : {}),
        },
        finish_reason: finish(answer),
      },
    ],
    usage,
  }),
  refusal: (status) => ({
    error: {
      type: status === 400 ? 'invalid_request_error' : 'server_error',
      code: status,
      message: `refused by the script: ${status}`,
    },
  }),
}

function itemsOf(message: Record<string, unknown>): Item[] {
  switch (message['role']) {
    case 'assistant':
      return [
        {
          by: 'agent',
          answer: objects(message['tool_calls'])
            .map(({ id }) => answerOf(id))
            .find(Boolean),
        },
      ]
    case 'user':
      return [{ by: 'user', text: textOf(message['content']) }]
    case 'tool':
      return [{ by: 'tool' }]
    default:
      return []
  }
}

function shapeOf(body: Record<string, unknown>): Record<string, unknown> | undefined {
  const format = object(body['response_format'])
  return format['type'] === 'json_schema' ? object(object(format['json_schema'])['schema']) : undefined
}

const finish = ({ calls }: Answer): string => (calls.length > 0 ? 'tool_calls' : 'stop')

function toolCalls(answer: Answer): { id: string; type: 'function'; function: { name: string; arguments: string } }[] {
  return answer.calls.map(({ tool, input }, index) => ({
    id: callId('call_', answer.id, index),
    type: 'function',
    function: { name: tool.name, arguments: JSON.stringify(input) },
  }))
}
