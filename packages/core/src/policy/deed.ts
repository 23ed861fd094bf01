import type { ApprovalRequest } from '@hotline/protocol/events/approval'
import type { DeedKind } from '@hotline/protocol/policy'
import { readPlaced } from '../placed-json.ts'
import { readCommand } from './read-command.ts'
import { unwrapShell } from './programs.ts'

/** What an agent asks to do, as far as rules look at it. */
export interface PolicyRequest {
  /** The name of its profile. */
  agent: string
  tool: string
  /** The exact bytes that would run; absent where they are not at hand. */
  input?: string | undefined
  /** The folder of the session. */
  cwd?: string | undefined
  /** Paths of the request, and the folder, by the files that they lead to on the machine: as links have it. */
  opened?: Readonly<Record<string, string>> | undefined
  /** An adapter says that it is a plan: no name of a tool does. */
  plan?: true | undefined
}

/** A request as it stands in the log, for whoever looks at what it would do; with `input` in place of its own. */
export function policyRequest(
  agent: string,
  { tool, cwd, opened, plan, ...asked }: ApprovalRequest,
  input: string | undefined = asked.input,
): PolicyRequest {
  return { agent, tool, input, cwd, opened, plan }
}

/** What a request would do. `why`: in words, why nobody here can tell exactly. */
export type Deed =
  | { does: 'run'; text: string; argv: readonly string[] }
  /** `beside`: the input says more than a command, and nobody here knows what that changes. */
  | { does: 'run'; text: string; argv: undefined; why: string; beside?: true }
  | { does: 'edit' | 'read'; paths: readonly string[] }
  | { does: 'fetch'; host: string }
  | { does: 'plan' }
  | { does: 'other'; why: string }

type Members = Readonly<Record<string, unknown>>

const charsMax = 256 * 1024

/** What a tool does by its name. */
type ToolDeed = Exclude<DeedKind, 'plan' | 'other'>

/** What tools do, by the names that agents give them. A name alone proves nothing: the input must be of that kind as well. */
const tools: ReadonlyMap<string, ToolDeed> = new Map([
  ...namesOf('run', 'Bash bash shell execute command run_shell_command run_in_terminal'),
  ...namesOf('edit', 'Write Edit MultiEdit NotebookEdit edit write create write_file replace apply_patch'),
  ...namesOf('read', 'Read read read_file view'),
  ...namesOf('fetch', 'WebFetch fetch web_fetch webfetch network'),
])

const pathNames = ['file_path', 'filePath', 'filepath', 'path', 'notebook_path', 'absolute_path', 'fileName']

/** Members beside those that say what is done, which change nothing of it. */
const beside: Readonly<Record<ToolDeed, ReadonlySet<string>>> = {
  run: new Set(['description', 'timeout', 'timeout_ms', 'run_in_background', 'is_background']),
  edit: new Set(
    [
      'content contents file_text new_content newText old_string new_string oldString newString old_str new_str oldText',
      'edits replace_all replaceAll expected_replacements instruction diff new_source cell_id cell_type edit_mode',
    ].flatMap((line) => line.split(' ')),
  ),
  read: new Set(['offset', 'limit', 'pages', 'view_range', 'start_line', 'end_line']),
  fetch: new Set(['prompt', 'format', 'timeout']),
}

function namesOf<T extends DeedKind>(does: T, names: string): [string, T][] {
  return names.split(' ').map((name) => [name, does])
}

/** Reads what a request would do from its tool and its exact input; the agent's words about it count for nothing. */
export function readDeed(request: PolicyRequest): Deed {
  const { tool, input } = request
  if (request.plan) return { does: 'plan' }
  const does = tools.get(tool)
  if (input === undefined || input.length > charsMax) return other('its input is too long to be read here')
  if (does === undefined) return other(`nobody here knows what "${tool}" does`)
  const members = membersOf(input)
  // Some agents give the bare text.
  if (does === 'run' && !members && !/^\s*[{[]/.test(input)) return commandDeed(input)
  if (does === 'edit' && !members && input.startsWith('--- ')) return patchDeed(input)
  if (!members) return other('its input cannot be read in one way only')
  switch (does) {
    case 'run':
      return runDeed(members, request)
    case 'edit':
    case 'read':
      return fileDeed(does, members)
    case 'fetch':
      return fetchDeed(members)
  }
}

/** True where an input of its own kind would have been read. */
export function isKnownTool(tool: string): boolean {
  return tools.has(tool)
}

function runDeed({ command, cwd: folder, ...rest }: Members, { cwd }: PolicyRequest): Deed {
  const isList = Array.isArray(command) && command.every((word) => typeof word === 'string')
  const text = isList ? command.join(' ') : command
  if (typeof text !== 'string') return other('it names no command')
  const isElsewhere = folder !== undefined && folder !== cwd
  const why = strangerIn(rest, 'run') ?? (isElsewhere ? 'it runs in another folder' : undefined)
  if (why !== undefined) return { does: 'run', text, argv: undefined, why, beside: true }
  return isList && isPlain(command) ? { does: 'run', text, argv: unwrapShell(command) } : commandDeed(text)
}

/** Words that were given as a list need no quotes; but what cannot be seen is in none that is remembered. */
function isPlain(words: readonly string[]): boolean {
  return words.length > 0 && words.length <= 64 && words.every((word) => /^[ -~]*$/.test(word)) && words[0] !== ''
}

function commandDeed(text: string): Deed {
  const read = readCommand(text)
  return read.ok
    ? { does: 'run', text, argv: unwrapShell(read.argv) }
    : { does: 'run', text, argv: undefined, why: read.why }
}

/** Every line that could name a file counts: what is taken for one in vain only makes a request harder to allow. */
function patchDeed(text: string): Deed {
  const lines = text.split('\n')
  if (!lines.every((line) => line === '' || /^(?:--- |\+\+\+ |@@|[-+ \\])/.test(line))) {
    return other('it is no plain patch')
  }
  const named = lines.flatMap((line) => /^(?:---|\+\+\+) (.+)$/.exec(line)?.[1] ?? [])
  return { does: 'edit', paths: [...new Set(named)].filter((path) => path !== '/dev/null') }
}

function fileDeed(does: 'edit' | 'read', members: Members): Deed {
  const named = pathNames.filter((name) => Object.hasOwn(members, name))
  const paths = named.map((name) => members[name])
  const rest = Object.fromEntries(Object.entries(members).filter(([name]) => !named.includes(name)))
  const strange = strangerIn(rest, does) ?? nestedIn(rest)
  if (strange !== undefined) return other(strange)
  const texts = paths.filter((path) => typeof path === 'string')
  if (texts.length === 0 || texts.length !== paths.length) return other('it names no file')
  return { does, paths: texts }
}

/** An edit of a list may name a file of its own: then it is not plain which one is meant. */
function nestedIn(rest: Members): string | undefined {
  const edits = rest['edits']
  const list = Array.isArray(edits) ? edits : []
  const isStrange = list.some((edit: unknown) => {
    const members: Members = typeof edit === 'object' && edit !== null ? { ...edit } : { '?': edit }
    return strangerIn(members, 'edit') !== undefined
  })
  return isStrange ? 'one of its edits says more than what changes' : undefined
}

function fetchDeed(members: Members): Deed {
  const { url, network, ...rest } = members
  const strange = strangerIn(rest, 'fetch')
  if (strange !== undefined) return other(strange)
  if (network === undefined) {
    const host = typeof url === 'string' ? hostOf(url) : undefined
    return host === undefined ? other('its address cannot be read in one way only') : { does: 'fetch', host }
  }
  const { host, ...more } = { host: undefined, ...(typeof network === 'object' ? network : {}) } as Members
  const isAlone = url === undefined && strangerIn(more, 'fetch', ['protocol', 'port']) === undefined
  return isAlone && typeof host === 'string' && isHost(host)
    ? { does: 'fetch', host: host.toLowerCase() }
    : other('it does not name one host')
}

/** Without a name and password before the host, and with nothing in it that has to be decoded. */
function hostOf(url: string): string | undefined {
  const host = /^https?:\/\/([^/?#\\@:]+)(?::[0-9]{1,5})?(?:[/?#][!-[\]-~]*)?$/i.exec(url)?.[1]
  return host !== undefined && isHost(host) ? host.toLowerCase() : undefined
}

/** True for the name of a host, or an address in its usual form. */
export function isHost(text: string): boolean {
  return text.length <= 253 && /^(?:[a-z0-9](?:[a-z0-9-]*[a-z0-9])?)(?:\.[a-z0-9](?:[a-z0-9-]*[a-z0-9])?)*$/i.test(text)
}

function strangerIn(members: Members, does: ToolDeed, more: readonly string[] = []): string | undefined {
  const name = Object.keys(members).find((one) => !beside[does].has(one) && !more.includes(one))
  return name === undefined ? undefined : `nobody here knows what "${name}" changes`
}

/** The members of an object; undefined where another reader could understand the text in another way. */
function membersOf(text: string): Members | undefined {
  const read = readPlaced(text)
  return read.ok && read.value.kind === 'object' ? (JSON.parse(text) as Members) : undefined
}

function other(why: string): Deed {
  return { does: 'other', why }
}
