import { LineCommand, LineHello, LineMessage } from '@hotline/protocol/agent-line'
import { commandData, commandTypes } from '@hotline/protocol/command'
import { clientFrames } from '@hotline/protocol/frame'
import { limits } from '@hotline/protocol/limits'
import {
  PermissionBatch,
  PermissionInput,
  PermissionInputBatch,
  PermissionMessage,
  permissionsSubprotocol,
} from '@hotline/protocol/permissions'
import { serverFrames } from '@hotline/protocol/server-frame'
import { InteractInput, InteractMessage } from '@hotline/protocol/interact'
import { TaskUpdate, taskUpdateTypes } from '@hotline/protocol/task-updates'
import { messagePackSubprotocol, protocolVersion, subprotocol } from '@hotline/protocol/version'
import { z } from 'zod'
import { type Json, jsonSchemas } from './json-schemas.ts'

type Messages = Readonly<Record<string, z.ZodType>>

/** One address where WebSocket is spoken, and what is said there. */
interface Channel {
  address: string
  title: string
  description: string
  parameters?: Json
  query?: Json
  fromClient: Messages
  fromServer: Messages
}

const channels: Readonly<Record<string, Channel>> = {
  frames: {
    address: '/api/ws',
    title: subprotocol,
    description:
      `The sub-protocol \`${subprotocol}\`: each text message is one frame, and \`t\` names it. With ` +
      `\`${messagePackSubprotocol}\` each binary message is the same frame in MessagePack. One socket follows many ` +
      `streams (at most ${limits.followsPerSocket}); a frame of a client has at most ${limits.inboundFrameBytes} bytes. ` +
      'Events of a stream come without a gap, from after the cursor that the client named. Who sent no Authorization ' +
      `says \`hello\` first, within ${limits.helloTimeoutMs / 1_000} seconds. The server is heard from every ` +
      `${limits.heartbeatMs / 1_000} seconds; a client that says nothing for twice as long is cut off.`,
    fromClient: { ...clientFrames, command: anyCommandFrame() },
    fromServer: serverFrames,
  },
  permissions: {
    address: '/ws/permissions',
    title: permissionsSubprotocol,
    description:
      `Approvals for any program, under the sub-protocol \`${permissionsSubprotocol}\` or none. It is spoken at \`/ws\` ` +
      'and `/` as well.',
    query: {
      type: 'object',
      properties: {
        after: { type: 'string', description: 'The place where an earlier connection ended.' },
        compress: { const: 'true', description: 'Long messages come deflated.' },
        batch: { const: 'true', description: 'What comes together is one `permission-batch`.' },
      },
    },
    fromClient: {
      hello: LineHello,
      ...byMember('type', PermissionInput.options),
      'permission-batch': PermissionInputBatch,
    },
    fromServer: { ...byMember('type', PermissionMessage.options), 'permission-batch': PermissionBatch },
  },
  agentLine: {
    address: '/ws/agents/{name}',
    title: 'The line of an agent',
    description: 'One agent from a script: its state whenever it changes, and commands with what became of them.',
    parameters: { name: { description: 'The id of a session, the name of a profile, or the title of a session.' } },
    fromClient: { hello: LineHello, ...byMember('command', LineCommand.options) },
    fromServer: byMember('type', LineMessage.options),
  },
  taskUpdates: {
    address: '/api/agent/{taskId}/updates',
    title: 'What happens in a task',
    description:
      'The steps of a task, what it asks for, where it stands and how it ends. Nothing is said to it after the `hello`: ' +
      'what it asks for is answered at `POST /api/agent/:taskId/approve`.',
    parameters: { taskId: { description: 'The id of a session, or of a card for the newest session of it.' } },
    query: {
      type: 'object',
      properties: {
        since: { type: 'string', description: 'The id of the last message that an earlier connection had.' },
      },
    },
    fromClient: { hello: LineHello },
    fromServer: Object.fromEntries(taskUpdateTypes.map((type) => [type, TaskUpdate.extend({ type: z.literal(type) })])),
  },
  interact: {
    address: '/api/projects/{id}/tasks/{taskId}/interact',
    title: 'The conversation of a task',
    description:
      'What people, agents and the server say in all sessions of a task, from the history on, and a way to say something. ' +
      'A message goes to the newest session of the task.',
    parameters: { id: { description: 'The project.' }, taskId: { description: 'The id of the card.' } },
    fromClient: byMember('type', InteractInput.options),
    fromServer: byMember('type', InteractMessage.options),
  },
}

/**
 * The AsyncAPI 3.0 document of what is said over WebSocket, from the schemas by which it is read. Like the OpenAPI document
 * it is the same on every server of this version.
 */
export function asyncApiDocument(): Json & { asyncapi: '3.0.0' } {
  const schemas: Record<string, z.ZodType> = {}
  for (const [key, { fromClient, fromServer }] of Object.entries(channels)) {
    for (const [name, schema] of Object.entries(fromClient)) schemas[`${key} client ${name}`] = schema
    for (const [name, schema] of Object.entries(fromServer)) schemas[`${key} server ${name}`] = schema
  }
  const { byKey, named } = jsonSchemas(schemas, 'input', 'draft-7')
  const parts = Object.entries(channels).map(([key, channel]) => ({
    key,
    channel,
    client: messagesOf('client', channel.fromClient, (name) => byKey[`${key} client ${name}`]),
    server: messagesOf('server', channel.fromServer, (name) => byKey[`${key} server ${name}`]),
  }))
  return {
    asyncapi: '3.0.0',
    info: {
      title: 'Hotline over WebSocket',
      version: String(protocolVersion),
      description:
        'Who speaks is said in `Authorization: Bearer …` of the upgrade, or in `hello` with a token or a ticket ' +
        '(`POST /api/auth/ticket`), never in an address. Close codes are those of the errors: 4000 and the status.',
      license: { name: 'MIT' },
    },
    defaultContentType: 'application/json',
    servers: {
      here: {
        host: 'localhost:4680',
        protocol: 'ws',
        description: 'A server on this machine; others speak wss.',
        security: [{ $ref: '#/components/securitySchemes/token' }],
      },
    },
    channels: Object.fromEntries(
      parts.map(({ key, channel, client, server }) => [key, channelOf(channel, { ...client, ...server })]),
    ),
    operations: Object.fromEntries(
      parts.flatMap(({ key, client, server }) => [
        [`${key}FromClient`, operationOf('receive', key, Object.keys(client))],
        [`${key}FromServer`, operationOf('send', key, Object.keys(server))],
      ]),
    ),
    components: { schemas: named, securitySchemes: { token: { type: 'http', scheme: 'bearer' } } },
  }
}

/** A message is called by who says it, since both sides have a batch. */
function messagesOf(side: 'client' | 'server', of: Messages, payloadOf: (name: string) => Json | undefined): Json {
  return Object.fromEntries(
    Object.keys(of).map((name) => [`${side}.${name}`, { name, title: name, payload: payloadOf(name) ?? {} }]),
  )
}

function channelOf({ address, title, description, parameters, query }: Channel, messages: Json): Json {
  const binding = { method: 'GET', ...(query === undefined ? {} : { query }), bindingVersion: '0.1.0' }
  return {
    address,
    title,
    description,
    ...(parameters === undefined ? {} : { parameters }),
    messages,
    bindings: { ws: binding },
  }
}

/** As AsyncAPI sees it from the server: what clients say it receives. */
function operationOf(action: 'send' | 'receive', channel: string, messages: readonly string[]): Json {
  return {
    action,
    channel: { $ref: `#/channels/${channel}` },
    messages: messages.map((name) => ({ $ref: `#/channels/${channel}/messages/${name}` })),
  }
}

/** The options of a union, by the value of the member that tells them apart. */
function byMember(member: string, options: readonly z.ZodObject[]): Messages {
  return Object.fromEntries(
    options.flatMap((option) => {
      const { values } = option.shape[member] as z.ZodLiteral
      return [...values].map((value) => [String(value), option] as const)
    }),
  )
}

/** Every command with its own data, as a frame. */
function anyCommandFrame(): z.ZodType {
  return z.union(
    commandTypes.map((type) => clientFrames.command.extend({ type: z.literal(type), data: commandData[type] })),
  )
}
