import type { OutputSource } from '@hotline/protocol/events/output'
import type { StepKind } from '@hotline/protocol/events/turn'

/** What a kind of step is called, and with which words names of such steps begin that say it themselves. */
const words: Readonly<Record<StepKind, { word: string; said: readonly string[] }>> = {
  read: { word: 'Read', said: ['read', 'view', 'open', 'show', 'list', 'look'] },
  edit: { word: 'Edit', said: ['edit', 'write', 'create', 'update', 'change', 'patch', 'apply', 'add', 'replace'] },
  delete: { word: 'Delete', said: ['delete', 'remove'] },
  move: { word: 'Move', said: ['move', 'rename'] },
  search: { word: 'Search', said: ['search', 'find', 'grep', 'glob', 'look', 'list'] },
  execute: { word: 'Run', said: ['run', 'execute', 'start', 'launch'] },
  think: { word: 'Think', said: ['think', 'plan'] },
  fetch: { word: 'Fetch', said: ['fetch', 'get', 'download', 'open', 'load'] },
  other: { word: '', said: [] },
}

/** What a step is, before its name: a verb that people use, or nothing where the name says it or nobody knows. */
export function kindWord(kind: string, title: string): string {
  const known = Object.hasOwn(words, kind) ? words[kind as StepKind] : undefined
  if (!known) return ''
  const first = /^\p{L}+/u.exec(title.trimStart())?.[0].toLowerCase() ?? ''
  return known.said.includes(first) ? '' : known.word
}

/** The tool of a request: the name that its agent has for it, or what a step of that kind is called. */
export function toolWord(tool: string, title: string): string {
  return Object.hasOwn(words, tool) ? kindWord(tool, title) : tool
}

/** What several steps of one kind did that went well. */
export function timesText(kind: StepKind, count: number): string {
  const did: Readonly<Record<StepKind, readonly [verb: string, one: string, many: string]>> = {
    read: ['read', 'file', 'files'],
    edit: ['edited', 'file', 'files'],
    delete: ['deleted', 'file', 'files'],
    move: ['moved', 'file', 'files'],
    search: ['searched', 'time', 'times'],
    execute: ['ran', 'command', 'commands'],
    think: ['thought', 'time', 'times'],
    fetch: ['fetched', 'page', 'pages'],
    other: ['did', 'step', 'steps'],
  }
  const [verb, one, many] = Object.hasOwn(did, kind) ? did[kind] : did.other
  return `${verb} ${count} ${count === 1 ? one : many}`
}

/** Where what was printed came from. */
export const sourceWords: Readonly<Record<OutputSource, string>> = {
  stdout: 'Output',
  stderr: 'Errors',
  pty: 'Terminal',
  file: 'File',
  log: 'Hotline',
}
