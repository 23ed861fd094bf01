import type { OfferedTool } from './conversation.ts'
import type { Intent } from './script.ts'

/** Names that agents have for their tools, without case and punctuation, the best first. Nothing of it is run here. */
const names = {
  write: listOf('write writefile createfile create filewrite applypatch strreplaceeditor'),
  edit: listOf('edit strreplace replace editfile multiedit applypatch strreplaceeditor'),
  run: listOf('bash shell execcommand shellcommand runshellcommand run localshell runterminalcmd'),
  read: listOf('read readfile view viewfile fileread'),
}

/** Names that agents have for an argument, without case and punctuation. */
const argumentNames = {
  path: listOf('filepath path absolutepath filename file'),
  text: listOf('content filetext text contents newcontent'),
  from: listOf('oldstring oldstr oldtext search'),
  to: listOf('newstring newstr newtext replace'),
  command: listOf('command cmd script'),
  patch: listOf('input patch patchtext'),
}

function listOf(words: string): readonly string[] {
  return words.split(' ')
}

const bare = (name: string): string => name.toLowerCase().replaceAll(/[^a-z]/g, '')

/** The call that carries an intent out. Throws where nothing that is offered can. */
export function resolveIntent(intent: Intent, offered: readonly OfferedTool[]): { tool: OfferedTool; input: unknown } {
  if ('tool' in intent) {
    const tool = offered.find(({ name }) => name === intent.tool)
    return { tool: tool ?? { name: intent.tool, schema: {}, kind: 'function' }, input: intent.input }
  }
  const [verb, args] = wantedOf(intent)
  const tool = toolFor(verb, offered)
  // Some read files with a command like any other.
  if (!tool && 'read' in intent && toolFor('run', offered)) {
    const path = intent.read.replaceAll("'", `'"'"'`)
    return resolveIntent({ run: `cat -- '${path}'`, ...(intent.with ? { with: intent.with } : {}) }, offered)
  }
  if (!tool) throw new Error(`no tool to ${verb} among: ${offered.map(({ name }) => name).join(', ')}`)
  if (tool.kind === 'custom') return { tool, input: patchOf(intent) }
  const asPatch = bare(tool.name) === 'applypatch' ? { patch: patchOf(intent) } : args
  return { tool, input: { ...fill(tool.schema, asPatch, verb), ...intent.with } }
}

function toolFor(verb: keyof typeof names, offered: readonly OfferedTool[]): OfferedTool | undefined {
  return names[verb]
    .map((wanted) => offered.find(({ name }) => bare(name) === wanted))
    .find((found) => found !== undefined)
}

function wantedOf(
  intent: Exclude<Intent, { tool: string }>,
): [keyof typeof names, Partial<Record<keyof typeof argumentNames, string>>] {
  if ('write' in intent) return ['write', intent.write]
  if ('edit' in intent) return ['edit', intent.edit]
  if ('run' in intent) return ['run', { command: intent.run }]
  return ['read', { path: intent.read }]
}

/** Arguments by the names that the schema has for them, and something harmless for whatever else it requires. */
function fill(
  schema: Record<string, unknown>,
  args: Partial<Record<keyof typeof argumentNames, string>>,
  verb: string,
): Record<string, unknown> {
  const properties = (schema['properties'] ?? {}) as Record<string, Record<string, unknown>>
  const input: Record<string, unknown> = {}
  for (const [name, property] of Object.entries(properties)) {
    const meaning = (Object.keys(argumentNames) as (keyof typeof argumentNames)[]).find((key) =>
      argumentNames[key].includes(bare(name)),
    )
    const value = meaning === undefined ? undefined : args[meaning]
    if (value !== undefined) input[name] = property['type'] === 'array' ? [...listOf('bash -lc'), value] : value
    else if ((schema['required'] as string[] | undefined)?.includes(name)) {
      // An editor with several commands in one tool is told which one is meant.
      const commands = property['enum'] as unknown[] | undefined
      const command = verb === 'write' ? 'create' : verb === 'edit' ? 'str_replace' : 'view'
      input[name] = name === 'command' && commands?.includes(command) ? command : sample(property)
    }
  }
  return input
}

/** Something that a schema takes, as small as can be. */
export function sample(schema: Record<string, unknown>): unknown {
  if ('default' in schema) return schema['default']
  if ('const' in schema) return schema['const']
  const [first] = (schema['enum'] as unknown[] | undefined) ?? []
  if (first !== undefined) return first
  const [type] = [schema['type']].flat()
  switch (typeof type === 'string' ? type.toLowerCase() : type) {
    case 'number':
    case 'integer':
      return schema['minimum'] ?? 1
    case 'boolean':
      return false
    case 'array':
      return []
    case 'object':
      return Object.fromEntries(
        Object.entries((schema['properties'] ?? {}) as Record<string, Record<string, unknown>>)
          .filter(([name]) => (schema['required'] as string[] | undefined)?.includes(name) ?? true)
          .map(([name, property]) => [name, sample(property)]),
      )
    default:
      return 'as the script says'
  }
}

/** The patch language that some tools take in place of arguments. */
function patchOf(intent: Exclude<Intent, { tool: string }>): string {
  const lines = (prefix: string, text: string): string =>
    text
      .replace(/\n$/, '')
      .split('\n')
      .map((line) => `${prefix}${line}`)
      .join('\n')
  if ('write' in intent) {
    return `*** Begin Patch\n*** Add File: ${intent.write.path}\n${lines('+', intent.write.text)}\n*** End Patch\n`
  }
  if ('edit' in intent) {
    const { path, from, to } = intent.edit
    return `*** Begin Patch\n*** Update File: ${path}\n@@\n${lines('-', from)}\n${lines('+', to)}\n*** End Patch\n`
  }
  throw new Error('a tool that takes a patch can only write and edit')
}
