import { type Answer, answerOf, callId, type Item, usedTokens } from './conversation.ts'
import { type Dialect, object, objects } from './dialect.ts'

/** Google's generateContent. */
export const gemini: Dialect = {
  name: 'gemini',
  path: /:(?:streamG|g)enerateContent$/,
  read: (body, url) => ({
    model: /\/models\/([^/:]+):/.exec(url)?.[1] ?? '',
    stream: url.includes(':streamGenerateContent'),
    items: objects(body['contents']).flatMap(itemsOf),
    tools: objects(body['tools'])
      .flatMap((group) => objects(group['functionDeclarations']))
      .map((tool) => ({
        name: String(tool['name']),
        schema: object(tool['parametersJsonSchema'] ?? tool['parameters']),
        kind: 'function' as const,
      })),
    shape: shapeOf(body),
  }),
  stream: (answer, { model }) => {
    const parts = partsOf(answer)
    return parts.map((part, index) => {
      const data = chunk([part], model, index === parts.length - 1 ? 'STOP' : undefined)
      return `data: ${JSON.stringify(data)}\r\n\r\n`
    })
  },
  whole: (answer, { model }) => chunk(partsOf(answer), model, 'STOP'),
  refusal: (code) => ({
    error: {
      code,
      message: `refused by the script: ${code}`,
      status: code === 400 ? 'INVALID_ARGUMENT' : 'UNAVAILABLE',
    },
  }),
}

function itemsOf({ role, parts }: Record<string, unknown>): Item[] {
  const all = objects(parts)
  const answer = all.map((part) => answerOf(object(part['functionCall'])['id'])).find(Boolean)
  if (role === 'model') return [{ by: 'agent', answer }]
  if (all.some((part) => 'functionResponse' in part)) return [{ by: 'tool' }]
  return [{ by: 'user', text: all.map(({ text }) => (typeof text === 'string' ? text : '')).join('\n') }]
}

function shapeOf(body: Record<string, unknown>): Record<string, unknown> | undefined {
  const config = object(body['generationConfig'])
  if (config['responseMimeType'] !== 'application/json') return undefined
  return object(config['responseJsonSchema'] ?? config['responseSchema'])
}

function partsOf(answer: Answer): Record<string, unknown>[] {
  const parts: Record<string, unknown>[] = []
  if (answer.think !== undefined) parts.push({ text: answer.think, thought: true })
  for (const text of answer.pieces) parts.push({ text })
  answer.calls.forEach(({ tool, input }, index) =>
    parts.push({ functionCall: { id: callId('call_', answer.id, index), name: tool.name, args: input } }),
  )
  return parts
}

function chunk(parts: readonly unknown[], modelVersion: string, finishReason: string | undefined): unknown {
  const { in: promptTokenCount, out: candidatesTokenCount } = usedTokens
  return {
    candidates: [
      { content: { role: 'model', parts }, index: 0, ...(finishReason === undefined ? {} : { finishReason }) },
    ],
    usageMetadata: {
      promptTokenCount,
      candidatesTokenCount,
      totalTokenCount: promptTokenCount + candidatesTokenCount,
    },
    modelVersion,
  }
}
