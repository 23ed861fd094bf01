import { type Asking, StartError } from '../adapter.ts'
import type { AskingSettings } from './schema.ts'

/** A mode of codex: when it asks, and what it may do without. It is ours; codex has two settings in place of it. */
export interface CodexMode {
  id: string
  name: string
  approvalPolicy: 'on-request' | 'never'
  /** The name of the sandbox when a thread is opened, and in what is read back. */
  sandbox: 'workspace-write' | 'read-only' | 'danger-full-access'
  sandboxType: 'workspaceWrite' | 'readOnly' | 'dangerFullAccess'
}

/** The modes, by the names that they have in codex's own screens and in its ACP adapter. */
export const codexModes: readonly CodexMode[] = [
  {
    id: 'read-only',
    name: 'Read, ask before every change',
    approvalPolicy: 'on-request',
    sandbox: 'read-only',
    sandboxType: 'readOnly',
  },
  {
    id: 'workspace-write',
    name: 'Work in the folder, ask for anything beyond',
    approvalPolicy: 'on-request',
    sandbox: 'workspace-write',
    sandboxType: 'workspaceWrite',
  },
  {
    id: 'full-access',
    name: 'Do anything, never ask',
    approvalPolicy: 'never',
    sandbox: 'danger-full-access',
    sandboxType: 'dangerFullAccess',
  },
]

/** The one that has this name. */
export function modeNamed(id: string): CodexMode | undefined {
  return codexModes.find((mode) => mode.id === id)
}

/** The mode that a person chose, else the first of the profile's that asks. Throws a StartError with what there is. */
export function chooseMode(asking: Asking, wanted: string | undefined): CodexMode {
  const list = codexModes.map(({ id }) => id).join(', ')
  if (wanted !== undefined) {
    const chosen = modeNamed(wanted)
    if (!chosen) throw new StartError(`The agent has no mode "${wanted}". It offers: ${list}.`)
    return chosen
  }
  const names = asking.by === 'mode' ? asking.modes : []
  const asks = codexModes.filter(({ approvalPolicy }) => approvalPolicy !== 'never')
  const mode = asking.by === 'mode' ? names.flatMap((name) => asks.filter(({ id }) => id === name))[0] : asks[0]
  if (!mode) throw new StartError(`The agent was not started: its profile names no mode that asks. It offers: ${list}.`)
  return mode
}

/** What is passed when a thread is opened. A person answers, never a model in their place. */
export function openingSettings(mode: CodexMode): Record<string, unknown> {
  return { approvalPolicy: mode.approvalPolicy, approvalsReviewer: 'user', sandbox: mode.sandbox }
}

/** The mode that settings amount to; undefined where they are none that we know, or where a model answers. */
export function modeOf({ approvalPolicy, approvalsReviewer, sandbox }: AskingSettings): CodexMode | undefined {
  if (approvalsReviewer !== 'user') return undefined
  return codexModes.find((mode) => mode.approvalPolicy === approvalPolicy && mode.sandboxType === sandbox.type)
}

/** The settings as they were told, for the sentence that refuses them. */
export function describeSettings({ approvalPolicy, approvalsReviewer, sandbox }: AskingSettings): string {
  const policy = typeof approvalPolicy === 'string' ? approvalPolicy : JSON.stringify(approvalPolicy)
  return `approvals "${policy}", answered by "${String(approvalsReviewer)}", sandbox "${sandbox.type}"`
}
