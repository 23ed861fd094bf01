import { expect, onTestFinished, test } from 'vitest'
import { type ModelServer, startModelServer } from '../src/model/model-server.ts'
import { type Intent, readScript, scripted } from '../src/model/script.ts'
import { resolveIntent } from '../src/model/tools.ts'

async function open(): Promise<ModelServer> {
  const model = await startModelServer()
  onTestFinished(() => model[Symbol.asyncDispose]())
  return model
}

const noSignal = new AbortController().signal

function post(model: ModelServer, path: string, body: unknown, signal = noSignal): Promise<Response> {
  const headers = { 'content-type': 'application/json', authorization: 'Bearer not-to-be-kept' }
  return fetch(model.url + path, { method: 'POST', headers, body: JSON.stringify(body), signal })
}

/** The data of a stream's events. */
async function events(response: Response): Promise<Record<string, unknown>[]> {
  const text = await response.text()
  return [...text.matchAll(/^data: (\{.*\})\r?$/gm)].map(
    ([, json]) => JSON.parse(json ?? '') as Record<string, unknown>,
  )
}

const parameters = {
  type: 'object',
  properties: { file_path: { type: 'string' }, content: { type: 'string' } },
  required: ['file_path', 'content'],
}
const script = [
  {
    think: 'hm',
    text: 'I write it',
    pieces: 2,
    calls: [{ write: { path: '/w/a', text: 'A' } }, { write: { path: '/w/b', text: 'B' } }],
  },
  { text: 'written' },
]
const prompt = scripted('write two files', ...script)

test('Anthropic Messages: text, thought and calls as a stream, the next step after the results', async () => {
  const model = await open()
  const tools = [{ name: 'Write', input_schema: parameters }]
  const ask = (messages: unknown[]): Promise<Response> =>
    post(model, '/v1/messages?beta=true', { model: 'm', stream: true, tools, messages })
  const first = await events(await ask([{ role: 'user', content: [{ type: 'text', text: prompt }] }]))
  const block = (deltas: number): string[] => ['start', ...Array<string>(deltas).fill('delta'), 'stop']
  expect(first.map(({ type }) => String(type).replace('content_block_', ''))).toEqual(
    ['message_start', block(2), block(2), block(1), block(1), 'message_delta', 'message_stop'].flat(),
  )
  const begun = first.filter(({ type }) => type === 'content_block_start').map((event) => event['content_block'])
  const calls = (begun as { type: string; id: string; name: string }[]).filter(({ type }) => type === 'tool_use')
  expect(calls.map(({ name }) => name)).toEqual(['Write', 'Write'])
  expect(JSON.stringify(first)).toContain('{\\"file_path\\":\\"/w/b\\",\\"content\\":\\"B\\"}')

  const messages = [
    { role: 'user', content: prompt },
    { role: 'assistant', content: calls.map((call) => ({ ...call, input: {} })) },
    { role: 'user', content: calls.map(({ id }) => ({ type: 'tool_result', tool_use_id: id, content: 'done' })) },
  ]
  const whole = await post(model, '/v1/messages', { model: 'm', tools, messages })
  expect(await whole.json()).toMatchObject({ content: [{ type: 'text', text: 'written' }], stop_reason: 'end_turn' })
  // A prompt without a script goes on with the one before it; past its end there is nothing but a nod.
  const later = [...messages, { role: 'assistant', content: 'written' }, { role: 'user', content: 'and now?' }]
  expect(await (await post(model, '/v1/messages', { model: 'm', tools, messages: later })).json()).toMatchObject({
    content: [{ type: 'text', text: 'ok' }],
  })
  expect(model.calls.map(({ step, outcome }) => [step, outcome])).toEqual([0, 1, 2].map((step) => [step, 'answered']))
  expect(JSON.stringify(model.calls)).not.toContain('not-to-be-kept')
})

test('OpenAI Chat: chunks, indexed calls, usage, and the end', async () => {
  const model = await open()
  const tools = [{ type: 'function', function: { name: 'create', parameters } }]
  const messages: unknown[] = [{ role: 'user', content: prompt }]
  const response = await post(model, '/v1/chat/completions', { model: 'm', stream: true, tools, messages })
  const text = await response.clone().text()
  expect(text.endsWith('data: [DONE]\n\n')).toBe(true)
  const chunks = (await events(response)) as { choices: { delta: Record<string, unknown>; finish_reason: string }[] }[]
  const deltas = chunks.flatMap(({ choices }) => choices).map(({ delta }) => delta)
  expect(deltas.map(({ content }) => (typeof content === 'string' ? content : '')).join('')).toBe('I write it')
  const called = deltas.flatMap(({ tool_calls }) => (tool_calls ?? []) as { index: number; id?: string }[])
  expect(called.map(({ index }) => index)).toEqual([0, 0, 1, 1])
  expect(chunks.at(-2)?.choices[0]?.finish_reason).toBe('tool_calls')
  messages.push(
    { role: 'assistant', tool_calls: called.filter(({ id }) => id).map(({ id }) => ({ id })) },
    ...called.map(({ id }) => ({ role: 'tool', tool_call_id: id, content: 'done' })),
  )
  const next = await post(model, '/v1/chat/completions', { model: 'm', tools, messages })
  expect(await next.json()).toMatchObject({ choices: [{ message: { content: 'written' }, finish_reason: 'stop' }] })
})

test('OpenAI Responses: items, patches as free text, and calls that come back apart are one answer', async () => {
  const model = await open()
  const tools = [
    { type: 'namespace', name: 'files', tools: [{ type: 'custom', name: 'apply_patch' }] },
    { type: 'function', name: 'exec_command', parameters },
  ]
  const input: unknown[] = [{ role: 'user', content: [{ type: 'input_text', text: prompt }] }]
  const frames = await events(await post(model, '/v1/responses', { model: 'm', stream: true, tools, input }))
  expect(frames.map(({ sequence_number: at }) => at)).toEqual(frames.map((_, index) => index))
  const last = frames.at(-1) as { type: string; response: { output: { type: string; call_id: string }[] } }
  expect(last.type).toBe('response.completed')
  const patches = last.response.output.filter(({ type }) => type === 'custom_tool_call')
  expect(patches).toMatchObject([
    { name: 'apply_patch', namespace: 'files', input: '*** Begin Patch\n*** Add File: /w/a\n+A\n*** End Patch\n' },
    { name: 'apply_patch', namespace: 'files' },
  ])
  for (const patch of patches) {
    input.push(patch, { type: 'custom_tool_call_output', call_id: patch.call_id, output: 'done' })
  }
  const next = await post(model, '/v1/responses', { model: 'm', tools, input })
  expect(await next.json()).toMatchObject({ output: [{ content: [{ text: 'written' }] }] })
})

test('Gemini: the last part ends the answer', async () => {
  const model = await open()
  const tools = [{ functionDeclarations: [{ name: 'write_file', parametersJsonSchema: parameters }] }]
  const contents: unknown[] = [{ role: 'user', parts: [{ text: prompt }] }]
  const path = '/v1beta/models/gemini-x:streamGenerateContent?alt=sse'
  const frames = await events(await post(model, path, { tools, contents }))
  const candidates = frames.flatMap(({ candidates: all }) => all as { content: unknown; finishReason?: string }[])
  expect(candidates.at(-1)).toMatchObject({
    content: { parts: [{ functionCall: { name: 'write_file', args: { file_path: '/w/b', content: 'B' } } }] },
    finishReason: 'STOP',
  })
  contents.push({ role: 'model', parts: [] }, { role: 'user', parts: [{ functionResponse: {} }] })
  const next = await post(model, '/v1beta/models/gemini-x:generateContent', { tools, contents })
  expect(await next.json()).toMatchObject({ candidates: [{ content: { parts: [{ text: 'written' }] } }] })
  expect(model.calls[0]).toMatchObject({ model: 'gemini-x', step: 0, tools: ['write_file'] })
})

test('a call without tools is a side call: a title, or something of the wanted shape, and no step is used up', async () => {
  const model = await open()
  const messages = [{ role: 'user', content: prompt }]
  const schema = { type: 'object', properties: { title: { type: 'string' }, n: { type: 'integer' } } }
  const response_format = { type: 'json_schema', json_schema: { schema } }
  const title = await post(model, '/v1/chat/completions', { model: 'm', messages })
  expect(await title.json()).toMatchObject({ choices: [{ message: { content: 'A scripted session' } }] })
  const shaped = await post(model, '/v1/chat/completions', { model: 'm', messages, response_format })
  const body = (await shaped.json()) as { choices: { message: { content: string } }[] }
  expect(JSON.parse(body.choices[0]?.message.content ?? '')).toEqual({ title: 'as the script says', n: 1 })
  expect(model.calls.map(({ kind, step }) => `${kind} ${step}`)).toEqual(['side undefined', 'side undefined'])
})

test('refused, cut and hung as often as the script says, and the test hears how each call came out', async () => {
  const model = await open()
  const tools = [{ name: 'Bash', input_schema: {} }]
  const ask = (words: string, signal = noSignal): Promise<Response> => {
    const messages = [{ role: 'user', content: words }]
    return post(model, '/v1/messages', { model: 'm', stream: true, tools, messages }, signal)
  }
  const busy = scripted('busy', { status: 529, times: 2, text: 'at last' })
  expect([(await ask(busy)).status, (await ask(busy)).status, (await ask(busy)).status]).toEqual([529, 529, 200])

  const cut = scripted('cut', { cut: 'middle', text: 'one two three', pieces: 3 })
  await expect((await ask(cut)).text()).rejects.toThrow()
  expect(await (await ask(cut)).text()).toContain('message_stop')
  await expect(ask(scripted('never', { cut: 'start' }))).rejects.toThrow()

  for (const hang of ['start', 'middle'] as const) {
    const leaving = new AbortController()
    const answer = ask(scripted(`hang ${hang}`, { hang, text: 'some words' }), leaving.signal).then((one) => one.text())
    await model.called(({ words, outcome }) => words.includes(`hang ${hang}`) && outcome === 'open')
    leaving.abort()
    await expect(answer).rejects.toThrow()
    await model.called(({ words, outcome }) => words.includes(`hang ${hang}`) && outcome === 'aborted')
  }
  expect((await ask(scripted('late', { delayMs: 50, text: 'late' }))).status).toBe(200)
  expect((await ask(scripted('no such tool', { calls: [{ write: { path: '/x', text: '' } }] }))).status).toBe(400)
  expect(model.calls.map(({ outcome }) => outcome)).toEqual(
    'refused refused answered cut answered cut aborted aborted answered unanswerable'.split(' '),
  )
})

test('what agents ask for besides: the port, models, token counts; the rest is refused and remembered', async () => {
  const model = await open()
  expect((await fetch(model.url, { method: 'HEAD' })).status).toBe(200)
  expect((await fetch(`${model.openaiUrl}/models`)).status).toBe(200)
  expect(await (await post(model, '/v1/messages/count_tokens', {})).json()).toEqual({ input_tokens: 100 })
  expect((await fetch(`${model.url}/v1/else`)).status).toBe(404)
  expect(model.missed).toEqual(['GET /v1/else'])
  expect(new URL(model.url).hostname).toBe('127.0.0.1')
})

test('an intent becomes a call of whatever the agent offers', () => {
  const tool = (name: string, properties: Record<string, unknown>, required: string[] = []): never =>
    ({ name, kind: 'function', schema: { properties, required } }) as never
  const text = { type: 'string' }
  const give = (intent: Intent, ...offered: never[]): unknown => resolveIntent(intent, offered).input
  expect(give({ run: 'ls' }, tool('shell', { command: { type: 'array' } }))).toEqual({
    command: ['bash', '-lc', 'ls'],
  })
  expect(give({ run: 'ls', with: { escalate: true } }, tool('exec_command', { cmd: text }))).toEqual({
    cmd: 'ls',
    escalate: true,
  })
  const described = tool('Bash', { command: text, description: text, timeout: { type: 'number' } }, ['description'])
  expect(give({ run: 'ls' }, described)).toEqual({ command: 'ls', description: 'as the script says' })
  expect(
    give({ edit: { path: '/a', from: 'x', to: 'y' } }, tool('edit', { path: text, old_str: text, new_str: text })),
  ).toEqual({
    path: '/a',
    old_str: 'x',
    new_str: 'y',
  })
  const editor = tool('str_replace_editor', { command: { enum: ['view', 'create'] }, path: text, file_text: text }, [
    'command',
    'path',
  ])
  expect(give({ write: { path: '/a', text: 'x' } }, editor)).toEqual({ command: 'create', path: '/a', file_text: 'x' })
  expect(give({ read: '/a' }, tool('view', { path: text }))).toEqual({ path: '/a' })
  expect(give({ read: "/a'b" }, tool('exec_command', { cmd: text }))).toEqual({ cmd: `cat -- '/a'"'"'b'` })
  expect(give({ edit: { path: '/a', from: 'x\n', to: 'y\n' } }, tool('apply_patch', { patch: text }))).toEqual({
    patch: '*** Begin Patch\n*** Update File: /a\n@@\n-x\n+y\n*** End Patch\n',
  })
  expect(give({ tool: 'AskUserQuestion', input: { questions: [] } })).toEqual({ questions: [] })
  expect(readScript(`<wrapped>${prompt}</wrapped>`)?.steps).toEqual(script)
  expect(readScript('no script')).toBeUndefined()
})
