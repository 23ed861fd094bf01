import * as acp from '@agentclientprotocol/sdk'
import { spawn } from 'node:child_process'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Readable, Writable } from 'node:stream'
import { expect, test } from 'vitest'
import { AGENT_FILE } from './agent-process.ts'

test('the guided tour, allowed, through the client of the ACP library', async () => {
  const cwd = await mkdtemp(join(tmpdir(), 'demo-agent-'))
  const child = spawn(process.execPath, [AGENT_FILE], {
    env: { PATH: process.env['PATH'] ?? '', HOTLINE_DEMO_PACE: '0' },
    stdio: ['pipe', 'pipe', 'inherit'],
  })
  const exit = new Promise((resolve) => child.once('exit', resolve))
  try {
    const asked: acp.RequestPermissionRequest[] = []
    const app = acp.client({ name: 'test' }).onRequest(acp.methods.client.session.requestPermission, ({ params }) => {
      asked.push(params)
      const option = params.options.find(({ kind }) => kind === 'allow_once')
      return { outcome: { outcome: 'selected', optionId: option?.optionId ?? '' } }
    })
    const stream = acp.ndJsonStream(
      Writable.toWeb(child.stdin) as WritableStream<Uint8Array>,
      Readable.toWeb(child.stdout) as ReadableStream<Uint8Array>,
    )
    const { updates, stopReason, label } = await app.connectWith(stream, async (agent) => {
      const { agentInfo, protocolVersion } = await agent.request(acp.methods.agent.initialize, {
        protocolVersion: acp.PROTOCOL_VERSION,
        clientCapabilities: {},
      })
      expect(protocolVersion).toBe(acp.PROTOCOL_VERSION)
      const session = await agent.buildSession(cwd).start()
      expect(session.modes?.currentModeId).toBe('ask')
      const turn = session.prompt('Hello')
      const seen: acp.SessionUpdate[] = []
      for (;;) {
        const next = await session.nextUpdate()
        if (next.kind === 'stop') break
        seen.push(next.update)
      }
      return { updates: seen, stopReason: (await turn).stopReason, label: agentInfo?.title }
    })
    expect(label).toBe('Hotline demo agent (scripted, no model)')
    expect(stopReason).toBe('end_turn')

    const kinds = new Set(updates.map(({ sessionUpdate }) => sessionUpdate))
    expect([...kinds].toSorted()).toEqual([
      'agent_message_chunk',
      'agent_thought_chunk',
      'available_commands_update',
      'plan',
      'tool_call',
      'tool_call_update',
    ])
    const tools = updates.filter((update) => update.sessionUpdate === 'tool_call')
    expect(tools.map(({ kind }) => kind)).toEqual(['read', 'edit', 'execute'])
    expect(tools[0]?.locations).toEqual([{ path: join(cwd, 'README.md'), line: 1 }])
    expect(asked.map(({ toolCall }) => toolCall.kind)).toEqual(['edit', 'execute'])
    expect(asked[0]?.options.map(({ kind }) => kind)).toEqual(['allow_once', 'allow_always', 'reject_once'])

    const input = asked[0]?.toolCall.rawInput as { path: string; content: string }
    const diff = { type: 'diff', path: join(cwd, input.path), oldText: null, newText: input.content }
    expect(asked[0]?.toolCall.content).toEqual([diff])
    expect(await readFile(join(cwd, input.path), 'utf8')).toBe(input.content)
    const results = updates.filter(
      (update) => update.sessionUpdate === 'tool_call_update' && update.status === 'completed',
    )
    expect(results).toHaveLength(3)
    expect(results[1]).toMatchObject({ content: [diff] })
    expect(asked[1]?.toolCall.rawInput).toEqual({ command: 'node --version', cwd })
    expect(JSON.stringify(results[2])).toContain('v')
    const said = updates.map((update) =>
      update.sessionUpdate === 'agent_message_chunk' && update.content.type === 'text' ? update.content.text : '',
    )
    expect(said.join('')).toMatch(/^This is a demonstration/)
  } finally {
    child.stdin.end()
    await exit
    await rm(cwd, { recursive: true, force: true })
  }
  expect(child.exitCode).toBe(0)
})
