import asyncApi from '@asyncapi/specs/schemas/3.0.0.json' with { type: 'json' }
import { clientFrames } from '@hotline/protocol/frame'
import { serverFrames } from '@hotline/protocol/server-frame'
import { taskUpdateTypes } from '@hotline/protocol/task-updates'
import { enterRaw, heard, say } from '@hotline/testing/raw-conversation'
import { type LiveServer, startLiveServer } from '@hotline/testing/live-server'
import { Ajv } from 'ajv'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'

let server: LiveServer
// oxlint-disable-next-line typescript/no-explicit-any -- a document of any form
let document: any
beforeAll(async () => {
  server = await startLiveServer()
  document = await (await fetch(new URL('/api/asyncapi.json', server.url))).json()
})
afterAll(() => server[Symbol.asyncDispose]())

describe('the AsyncAPI document', () => {
  it('[OA8] is AsyncAPI 3.0 by the schema of that format', () => {
    // It brings the schema of draft 7 along.
    const ajv = new Ajv({ strict: false, validateFormats: false, meta: false, validateSchema: false })
    const isRight = ajv.compile(asyncApi)
    isRight(document)
    expect(isRight.errors?.slice(0, 5) ?? []).toEqual([])
    expect(isRight({ ...document, channels: { x: { address: 1 } } })).toBe(false)
  })

  it('[OA9] has every frame of hotline.v1, permissions.v1 and the line of an agent, from each side', () => {
    const namesOf = (channel: string, side: string): string[] =>
      Object.keys(document.channels[channel].messages)
        .filter((name) => name.startsWith(`${side}.`))
        .map((name) => name.slice(side.length + 1))
    expect(namesOf('frames', 'client')).toEqual(Object.keys(clientFrames))
    expect(namesOf('frames', 'server')).toEqual(Object.keys(serverFrames))
    expect(namesOf('permissions', 'client')).toEqual(
      expect.arrayContaining(['permission-response', 'permission-ack', 'ping', 'permission-batch']),
    )
    expect(namesOf('permissions', 'server')).toEqual(
      expect.arrayContaining([
        'permission-request',
        'permission-timeout',
        'permission-queue-status',
        'permission-batch',
      ]),
    )
    expect(namesOf('agentLine', 'client')).toEqual(['hello', 'get_state', 'pause', 'resume', 'kill', 'send_input'])
    expect(namesOf('agentLine', 'server')).toEqual(['connected', 'status', 'response', 'error'])
    expect(namesOf('taskUpdates', 'client')).toEqual(['hello'])
    expect(namesOf('taskUpdates', 'server')).toEqual(taskUpdateTypes)
    expect(namesOf('interact', 'client')).toEqual(['auth', 'user_message'])
    expect(namesOf('interact', 'server')).toEqual([
      'history',
      'user_message',
      'agent_response',
      'system_notification',
      'status_update',
      'error',
    ])
    for (const { action, channel, messages } of Object.values<{
      action: string
      channel: { $ref: string }
      messages: { $ref: string }[]
    }>(document.operations)) {
      expect(['send', 'receive']).toContain(action)
      for (const { $ref } of [channel, ...messages]) {
        expect(
          $ref
            .slice(2)
            .split('/')
            .reduce((at, name) => at?.[name], document),
        ).toBeTypeOf('object')
      }
    }
  })

  it('[OA9] what a server says on a socket is what the document says', async () => {
    const ajv = new Ajv({ strict: false, validateFormats: false })
    ajv.addSchema(document, 'api')
    const hand = await server.startSession('To be followed')
    await using socket = await enterRaw(Number(new URL(server.url).port), server.token)
    const stream = `session:${hand.session}`
    const said = [
      { t: 'ping' },
      { t: 'follow', stream, after: '0' },
      { t: 'command', id: 'c1', stream, type: 'message.send', data: { text: 'x' } },
      { t: 'command', id: 'c2', stream, type: 'message.send', data: { text: '' } },
      { t: 'follow', stream: 'session:nowhere', after: '0' },
    ]
    for (const frame of said) {
      const isRight = ajv.compile({ $ref: `api#/channels/frames/messages/client.${frame.t}/payload` })
      expect([frame, isRight(frame), isRight.errors]).toEqual([frame, true, null])
      await say(socket, frame)
    }
    const wanted = new Set(['pong', 'events', 'caught_up', 'accepted', 'refused', 'unfollowed'])
    while (wanted.size > 0) {
      const frame = await heard(socket, () => true)
      const isRight = ajv.compile({ $ref: `api#/channels/frames/messages/server.${frame.t}/payload` })
      expect([frame.t, isRight(frame), isRight.errors]).toEqual([frame.t, true, null])
      wanted.delete(frame.t)
    }
  })
})
