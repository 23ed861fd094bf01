import type { Ask } from '../adapter.ts'
import type { AskAnswers } from './asks.ts'
import { fileChanges, patchText, titleOf } from './patch.ts'
import type { Change, CommandApproval, FileApproval, PermissionsApproval } from './schema.ts'
import { commandTitle } from './steps.ts'

/** What a request asks, for people, and how it is answered. */
export interface Asked {
  shown: Pick<Ask, 'tool' | 'title' | 'input' | 'reason' | 'changes'>
  scopes: readonly ('once' | 'session')[]
  answers: AskAnswers
}

/** Answers of commands and patches. None of them writes a rule: that would last longer than anybody here can see. */
const decisions: AskAnswers = {
  allow: (reach) => ({ decision: reach === 'session' ? 'acceptForSession' : 'accept' }),
  deny: { decision: 'decline' },
  stop: { decision: 'cancel' },
}

/** A command, input for one that runs, or a way into the network. `cwd`: the folder of the session. */
export function askedCommand(request: CommandApproval, cwd: string): Asked {
  const { command, commandActions, kind, reason, availableDecisions } = request
  const network = objectOf(request.networkApprovalContext)
  const permissions = objectOf(request.additionalPermissions)
  const folder = request.cwd && request.cwd !== cwd ? request.cwd : undefined
  const isPlain = (kind ?? 'command') === 'command' && !network && !permissions
  // It remembers a command that is allowed for the session by its words: not what was asked for besides.
  const lasts = isPlain || (network !== undefined && availableDecisions?.includes('acceptForSession') === true)
  const text = command ?? ''
  const name = commandTitle(text, commandActions ?? [])
  const host = network?.['host']
  const input =
    isPlain && folder === undefined && text !== ''
      ? text
      : JSON.stringify(
          without({ command: command ?? undefined, kind: kind ?? undefined, cwd: folder, network, permissions }),
          null,
          2,
        )
  return {
    shown: {
      tool: network ? 'network' : kind === 'writeStdin' ? 'write_stdin' : 'command',
      title:
        typeof host === 'string'
          ? `Reach ${host}`
          : kind === 'writeStdin'
            ? `Type into: ${name}`
            : name === ''
              ? 'Run a command'
              : name,
      input,
      reason: reason ?? undefined,
    },
    scopes: lasts ? ['once', 'session'] : ['once'],
    answers: decisions,
  }
}

/** A patch. `changes`: what was announced of it; without them nobody can see what they would allow. */
export function askedPatch({ reason, grantRoot }: FileApproval, changes: readonly Change[], cwd: string): Asked {
  const root = grantRoot ?? undefined
  const grant = root === undefined ? '' : `It asks to write anywhere below this folder as well: ${root}\n`
  if (changes.length === 0) {
    const input = `${grant}The agent did not show what it would change, or showed more than can be read.`
    return { shown: { tool: 'apply_patch', title: titleOf(changes, cwd), input }, scopes: [], answers: decisions }
  }
  return {
    shown: {
      tool: 'apply_patch',
      title: titleOf(changes, cwd),
      input: `${grant}${patchText(changes)}`,
      reason: reason ?? undefined,
      changes: fileChanges(changes),
    },
    scopes: root === undefined ? ['once', 'session'] : ['once'],
    answers: decisions,
  }
}

/** Wider permissions for what comes: until the end of the turn, or of the session. */
export function askedPermissions({ permissions, reason, cwd }: PermissionsApproval): Asked {
  const asked = without(permissions)
  return {
    shown: {
      tool: 'request_permissions',
      title: 'More permissions, until the end of the turn',
      input: JSON.stringify(without({ permissions: asked, cwd: cwd ?? undefined }), null, 2),
      reason: reason ?? undefined,
    },
    scopes: ['once', 'session'],
    answers: {
      allow: (reach) => ({ permissions: asked, scope: reach === 'session' ? 'session' : 'turn' }),
      deny: { permissions: {}, scope: 'turn' },
      stop: { permissions: {}, scope: 'turn' },
    },
  }
}

/** Without the members that say nothing. */
function without(members: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(members).filter(([, value]) => value !== undefined && value !== null))
}

function objectOf(value: unknown): Record<string, unknown> | undefined {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : undefined
}
