import * as webhooks from '@hotline/protocol/webhooks'
import * as agentLine from '@hotline/protocol/agent-line'
import * as anyCommand from '@hotline/protocol/any-command'
import * as asks from '@hotline/protocol/asks'
import * as attachment from '@hotline/protocol/attachment'
import * as audit from '@hotline/protocol/audit'
import * as channels from '@hotline/protocol/channels'
import * as command from '@hotline/protocol/command'
import * as commandAnswer from '@hotline/protocol/command-answer'
import * as deviceSignIn from '@hotline/protocol/device-sign-in'
import * as error from '@hotline/protocol/error'
import * as evidence from '@hotline/protocol/evidence'
import * as http from '@hotline/protocol/http'
import * as ids from '@hotline/protocol/ids'
import * as interact from '@hotline/protocol/interact'
import * as interactions from '@hotline/protocol/interactions'
import * as invitation from '@hotline/protocol/invitation'
import * as passwordReset from '@hotline/protocol/password-reset'
import * as permissions from '@hotline/protocol/permissions'
import * as place from '@hotline/protocol/place'
import * as policy from '@hotline/protocol/policy'
import * as policyMode from '@hotline/protocol/policy-mode-schema'
import * as problem from '@hotline/protocol/problem'
import * as queue from '@hotline/protocol/queue'
import * as search from '@hotline/protocol/search'
import * as secondFactor from '@hotline/protocol/second-factor'
import * as frame from '@hotline/protocol/server-frame'
import * as status from '@hotline/protocol/status-schema'
import * as stream from '@hotline/protocol/stream'
import * as task from '@hotline/protocol/task'
import * as taskApi from '@hotline/protocol/task-api'
import * as taskUpdates from '@hotline/protocol/task-updates'
import * as usage from '@hotline/protocol/usage'
import { z } from 'zod'

/** Where the words of the wire are: a schema is called in the documents as it is called there. */
const vocabulary: readonly Readonly<Record<string, unknown>>[] = [
  stream,
  anyCommand,
  error,
  http,
  asks,
  attachment,
  audit,
  channels,
  command,
  commandAnswer,
  deviceSignIn,
  evidence,
  interact,
  interactions,
  invitation,
  passwordReset,
  permissions,
  place,
  policy,
  policyMode,
  problem,
  queue,
  search,
  secondFactor,
  frame,
  ids,
  status,
  task,
  taskApi,
  taskUpdates,
  usage,
  agentLine,
  webhooks,
]

/** The names of schemas, as `z.toJSONSchema` takes them: each becomes a schema of its own, and is referred to by it. */
export function schemaNames(): z.core.$ZodRegistry<{ id: string }> {
  const names = z.registry<{ id: string }>()
  const taken = new Set<string>()
  for (const [name, schema] of vocabulary.flatMap((words) => Object.entries(words))) {
    if (!(schema instanceof z.ZodType) || taken.has(name) || names.has(schema)) continue
    taken.add(name)
    names.add(schema, { id: name })
  }
  return names
}
