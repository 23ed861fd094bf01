import { readPlaced } from '@hotline/core/placed-json'
import type { ApprovalRequest } from '@hotline/protocol/events/approval'
import type { FileChange } from '@hotline/protocol/events/turn'

/** A value of JSON. */
export type Value = string | number | boolean | null | readonly Value[] | { readonly [name: string]: Value }

/** A change to a file that is asked for. `compared`: with what the request itself holds, or with what the agent says is there. */
export interface AskedEdit {
  change: FileChange
  compared: 'with the input' | 'with what the agent tells' | 'with nothing'
}

/**
 * What a request would do, made of the bytes that would run and of nothing else that the agent says: each value of the input
 * is in exactly one place of it. `words`: as it came, where it is no JSON or too much of it to be taken apart.
 */
export type Asked =
  | { kind: 'words'; text: string }
  | { kind: 'patch'; text: string }
  | {
      kind: 'parts'
      command: string | undefined
      url: string | undefined
      edits: readonly AskedEdit[]
      /** What is in no other place. */
      rest: { readonly [name: string]: Value }
    }

/** More than this is shown as it came. */
const charsMax = 256 * 1024
const valuesMax = 200
const depthMax = 6

const pathNames = ['file_path', 'filePath', 'path', 'notebook_path', 'target_file'] as const
const pairs = [
  ['old_string', 'new_string'],
  ['oldString', 'newString'],
  ['old_str', 'new_str'],
  ['oldText', 'newText'],
] as const
const wholeNames = ['content', 'contents', 'file_text', 'new_content', 'newText'] as const
/** Tools of which the text beside a path becomes the file. */
const writes = /write|edit|create|patch|replace|save/i

/** Reads an input. `shown`: what goes with it; only where it says the same as the input it counts for anything. */
export function readAsked(text: string, shown: Pick<ApprovalRequest, 'tool' | 'changes'>): Asked {
  if (isPatch(text)) return { kind: 'patch', text }
  const input = text.length > charsMax ? undefined : membersOf(text)
  if (!input || countValues(input, 0) > valuesMax) return { kind: 'words', text }
  const left = new Map(Object.entries(input))
  const take = (name: string): string | undefined => {
    const value = left.get(name)
    if (typeof value !== 'string') return undefined
    left.delete(name)
    return value
  }
  const edits = takeEdits(left, shown)
  const command = take('command')
  const url = take('url')
  return { kind: 'parts', command, url, edits, rest: Object.fromEntries(left) }
}

/** Every text that is shown of it, for whoever looks for what deceives the eye. */
export function textsOf(asked: Asked): readonly string[] {
  if (asked.kind !== 'parts') return [asked.text]
  const edited = asked.edits.flatMap(({ change: { path, oldText, newText } }) => [path, oldText ?? '', newText])
  return [asked.command ?? '', asked.url ?? '', ...edited, ...textsIn(asked.rest)]
}

function textsIn(value: Value): readonly string[] {
  if (typeof value === 'string') return [value]
  if (typeof value !== 'object' || value === null) return []
  return Object.entries(value).flatMap(([name, inner]) => [name, ...textsIn(inner)])
}

/** The members of an object; undefined where another reader could understand the text in another way. */
function membersOf(text: string): Record<string, Value> | undefined {
  const read = readPlaced(text)
  return read.ok && read.value.kind === 'object' ? (JSON.parse(text) as Record<string, Value>) : undefined
}

function countValues(value: Value, depth: number): number {
  if (typeof value !== 'object' || value === null) return 1
  if (depth >= depthMax) return Number.POSITIVE_INFINITY
  return Object.values(value).reduce((sum: number, inner: Value) => sum + countValues(inner, depth + 1), 1)
}

/** Two lines that begin a file in a patch, with nothing of JSON before them. */
function isPatch(text: string): boolean {
  return !text.startsWith('{') && /^--- .*\n\+\+\+ /m.test(text)
}

/** Takes the members that say how files change; all of them or, where it is not plain which they are, none. */
function takeEdits(
  left: Map<string, Value>,
  { tool, changes }: Pick<ApprovalRequest, 'tool' | 'changes'>,
): readonly AskedEdit[] {
  const pathName = pathNames.find((name) => typeof left.get(name) === 'string')
  const path = left.get(pathName ?? '')
  if (pathName === undefined || typeof path !== 'string') return takeListed(left, 'changes')
  const pair = pairs.find((names) => names.every((name) => typeof left.get(name) === 'string'))
  if (pair) {
    const [oldText, newText] = pair.map((name) => textOf(left.get(name)))
    for (const name of [pathName, ...pair]) left.delete(name)
    return [{ change: { path, oldText, newText: newText ?? '', partial: true }, compared: 'with the input' }]
  }
  const listed = takeListed(left, 'edits', path)
  if (listed.length > 0) {
    left.delete(pathName)
    return listed
  }
  const wholeName = wholeNames.find((name) => typeof left.get(name) === 'string')
  const newText = left.get(wholeName ?? '')
  if (wholeName === undefined || typeof newText !== 'string') return []
  const told = changes?.find((change) => isSamePath(change.path, path) && change.newText === newText)
  if (!told && !writes.test(tool)) return []
  left.delete(pathName)
  left.delete(wholeName)
  const oldText = told?.['oldText']
  const change = { path, newText, ...(typeof oldText === 'string' || oldText === null ? { oldText } : {}) }
  return [{ change, compared: typeof oldText === 'string' ? 'with what the agent tells' : 'with nothing' }]
}

/** Edits in a list, of one file or each of its own. */
function takeListed(left: Map<string, Value>, name: 'edits' | 'changes', path?: string): readonly AskedEdit[] {
  const list = left.get(name)
  if (!Array.isArray(list) || list.length === 0) return []
  const edits = list.map((one: Value) => editOf(one, path))
  if (!edits.every((edit) => edit !== undefined)) return []
  left.delete(name)
  return edits
}

/** An edit of a list; undefined where it holds anything that would not be seen. */
function editOf(value: Value, given: string | undefined): AskedEdit | undefined {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return undefined
  const members = new Map(Object.entries(value))
  const take = (name: string): string | undefined => {
    const text = members.get(name)
    if (typeof text === 'string') members.delete(name)
    return typeof text === 'string' ? text : undefined
  }
  const path = given ?? take('path')
  const pair = pairs.find(([, next]) => typeof members.get(next) === 'string')
  if (path === undefined || !pair) return undefined
  const [oldText, newText] = pair.map(take)
  if (newText === undefined || members.size > 0) return undefined
  return oldText === undefined
    ? { change: { path, newText }, compared: 'with nothing' }
    : { change: { path, oldText, newText, partial: true }, compared: 'with the input' }
}

function textOf(value: Value | undefined): string {
  return typeof value === 'string' ? value : ''
}

/** An agent may name a file from its folder in one place and whole in the other. */
function isSamePath(whole: string, named: string): boolean {
  return whole === named || (!named.startsWith('/') && whole.endsWith(`/${named}`))
}
