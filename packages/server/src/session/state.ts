import type { Context, Decision } from '@hotline/core/decision'
import { decideAccount } from '@hotline/core/account/decide'
import { evolveAccount } from '@hotline/core/account/evolve'
import type { AccountState } from '@hotline/core/account/state'
import { decideProject } from '@hotline/core/project/decide'
import { evolveProject } from '@hotline/core/project/evolve'
import type { ProjectState } from '@hotline/core/project/state'
import { decideServer } from '@hotline/core/server/decide'
import { evolveServer } from '@hotline/core/server/evolve'
import type { ServerState } from '@hotline/core/server/server-state'
import { decideSession } from '@hotline/core/session/decide'
import { evolveSession } from '@hotline/core/session/evolve'
import type { SessionState } from '@hotline/core/session/state'
import { decideTask } from '@hotline/core/task/decide'
import { evolveTask } from '@hotline/core/task/evolve'
import type { TaskState } from '@hotline/core/task/state'
import type { Command } from '@hotline/protocol/command'
import type { Envelope } from '@hotline/protocol/event'
import { splitStream } from '@hotline/protocol/stream'

/** The state of any stream that takes commands. */
export type StreamState = SessionState | ProjectState | TaskState | ServerState | AccountState

/** The rules of a stream by its kind. A state of another kind cannot occur: streams never change theirs. */
export function decide(state: StreamState | undefined, command: Command, context: Context): Decision {
  switch (splitStream(command.stream).kind) {
    case 'session':
      return decideSession(state?.kind === 'session' ? state : undefined, command, context)
    case 'project':
      return decideProject(state?.kind === 'project' ? state : undefined, command, context)
    case 'task':
      return decideTask(state?.kind === 'task' ? state : undefined, command, context)
    case 'account':
      return decideAccount(state?.kind === 'account' ? state : undefined, command, context)
    case 'server':
      return decideServer(state?.kind === 'server' ? state : undefined, command, context)
  }
}

/** The state after an event, by the stream's kind; unknown events leave it as it is. */
export function evolve(state: StreamState | undefined, event: Envelope): StreamState | undefined {
  switch (splitStream(event.stream).kind) {
    case 'session':
      return evolveSession(state?.kind === 'session' ? state : undefined, event)
    case 'project':
      return evolveProject(state?.kind === 'project' ? state : undefined, event)
    case 'task':
      return evolveTask(state?.kind === 'task' ? state : undefined, event)
    case 'account':
      return evolveAccount(state?.kind === 'account' ? state : undefined, event)
    case 'server':
      return evolveServer(state?.kind === 'server' ? state : undefined, event)
  }
}

/** The project that a stream belongs to; undefined where there is no such stream, and for what is the server's or one person's own. */
export function projectIn(state: StreamState | undefined): string | undefined {
  return state && 'project' in state ? state.project : undefined
}
