import { basename, isAbsolute } from 'node:path'
import { readBudget } from '@hotline/core/budget-words'
import { type CommandLineReading, readCommandLine } from '@hotline/core/command-line'
import { limits } from '@hotline/protocol/limits'
import type { Budget } from '@hotline/protocol/budget'
import { Isolation } from '@hotline/protocol/place'
import { Id } from '@hotline/protocol/ids'
import { type AdapterName, adapterNames, type Asking, runsProgram } from '../../adapters/adapter.ts'
import { mayPass } from '../../process/environment.ts'
import { claudeProfiles } from '../claude.ts'
import { codexProfiles } from '../codex.ts'
import { containments } from '../containment.ts'
import { captures, placeholders, unknownPlaceholders } from '../interactive.ts'
import { type AgentProfile, reviewTimes } from '../profile.ts'
import type { ProfileProblem } from '../problem.ts'
import { isSecretName } from '../variables.ts'
import { type Fields, readFields } from './fields.ts'
import { parseYaml } from './parse-yaml.ts'
import { interactiveKeys, readInteractive } from './read-interactive.ts'

/** What the file of a profile may say. */
export const profileKeys = [
  'id',
  'name',
  'description',
  'extends',
  'override',
  'adapter',
  'command',
  'env',
  'set',
  'asking',
  'folder',
  'isolation',
  'review',
  'setup',
  'sessions',
  'log_file',
  'version_args',
  'hint',
  'budget',
  'contain',
  'interactive',
] as const

/** A profile as its file says it: what it leaves out comes from the one that it extends, or from the adapter. */
export interface WrittenProfile {
  agent: string
  /** The agent that it was made from. */
  extends?: string | undefined
  /** It takes the place of the agent of that name that comes with Hotline. */
  override: boolean
  says: Partial<Omit<AgentProfile, 'agent'>>
  /** Says what is wrong with a key, for what only shows beside other profiles. */
  say: (key: (typeof profileKeys)[number], what: string) => void
}

/** What a file gives; `agent` where it can be told whom it is about, though it cannot be used. */
export interface ReadProfile {
  agent: string
  profile: WrittenProfile | undefined
  problems: ProfileProblem[]
}

/** Reads the file of a profile. Every problem is found, not just the first. */
export function readProfile(file: string, text: string): ReadProfile {
  const stem = basename(file).replace(/\.ya?ml$/i, '')
  const parsed = parseYaml(file, text)
  if ('problems' in parsed) return { agent: stem, profile: undefined, problems: [...parsed.problems] }
  const problems: ProfileProblem[] = []
  const { yaml } = parsed
  const fields = readFields({ file, yaml, map: yaml.map, known: profileKeys, problems })
  const agent = readId(fields, stem)
  const from = fields.text('extends', { max: 64 })
  const override = fields.flag('override') ?? false
  const says = readSayings(fields, from !== undefined)
  const say: WrittenProfile['say'] = (key, what) => fields.say(key, what)
  const profile = { agent, ...(from === undefined ? {} : { extends: from }), override, says: { ...says, file }, say }
  // Problems that are found later are found in the same list.
  return { agent, profile: problems.length === 0 ? profile : undefined, problems }
}

function readId(fields: Fields, stem: string): string {
  const id = fields.text('id', { max: 64 }) ?? stem
  if (Id.safeParse(id).success) return id
  const why = 'may hold letters, digits, "_" and "-", and no more than 64 of them'
  fields.say(
    'id',
    fields.has('id') ? `"id" ${why}.` : `The name of the file is the id of the agent, and that ${why}: set "id".`,
  )
  return stem
}

function readSayings(fields: Fields, isExtending: boolean): WrittenProfile['says'] {
  const interactive = fields.block('interactive', interactiveKeys)
  const capture = interactive?.choice('output_capture', captures)
  const named = fields.choice('adapter', adapterNames)
  const adapter: AdapterName | undefined = named ?? capture ?? (isExtending ? undefined : 'pipe')
  if (named !== undefined && capture !== undefined && named !== capture) {
    interactive?.say(
      'output_capture',
      runsProgram(named)
        ? `"adapter" is ${named} and "output_capture" is ${capture}. Leave one of them out.`
        : `An agent with the adapter ${named} speaks a protocol; how output is captured is for programs. Leave it out.`,
    )
  }
  const argv = adapter === 'log' ? readLogFile(fields) : readCommand(fields, 'command')
  if (adapter !== 'log' && !fields.has('command') && !isExtending) {
    fields.say('command', 'There is no "command": the program, then its arguments.')
  }
  if (fields.has('log_file') && adapter !== undefined && adapter !== 'log') {
    fields.say('log_file', '"log_file" is for output_capture: log. Leave it out.')
  }
  if (fields.has('contain') && adapter === 'log') fields.say('contain', 'Nothing is started here. Leave "contain" out.')
  const says: WrittenProfile['says'] = {
    ...whole('name', fields.text('name', { max: 100 })),
    ...whole('description', fields.text('description', { max: 500 })),
    ...whole('adapter', adapter),
    ...whole('argv', argv),
    ...whole('env', readNames(fields)),
    ...whole('set', readValues(fields)),
    ...whole('asking', readAsking(fields, adapter, isExtending)),
    ...readFolder(fields),
    ...whole('isolation', fields.choice('isolation', Isolation.options)),
    ...whole('review', fields.choice('review', reviewTimes)),
    ...whole('setup', readCommand(fields, 'setup')),
    ...whole('sessionsMax', fields.count('sessions', limits.sessionsPerRunner)),
    ...whole('versionArgs', fields.texts('version_args', 'An argument')),
    ...whole('hint', fields.text('hint', { max: 500 })),
    ...whole('budget', readLimits(fields)),
    ...whole('contain', fields.choice('contain', containments)),
    ...whole(
      'interactive',
      interactive && readInteractive(interactive, capture, (key) => readCommand(interactive, key)),
    ),
  }
  return says
}

/** As it is typed at the command line. */
function readLimits(fields: Fields): Budget | undefined {
  const text = fields.text('budget', { max: 200 })
  const read = text === undefined ? undefined : readBudget(text)
  if (read?.ok === false) fields.say('budget', `"budget" cannot be read. ${read.problem}`)
  if (read?.ok !== true) return undefined
  return Object.fromEntries(Object.entries(read.change).filter(([, limit]) => limit !== null))
}

function whole<K extends string, V>(key: K, value: V | undefined): { [k in K]?: V } {
  return (value === undefined ? {} : { [key]: value }) as { [k in K]?: V }
}

/** Words in one text, cut at spaces outside of quotes, or a list of them. */
function readCommand(fields: Fields, key: 'command' | 'resume_cmd' | 'setup'): readonly string[] | undefined {
  if (!fields.has(key)) return undefined
  const reading: CommandLineReading | undefined = fields.isList(key)
    ? asReading(fields.texts(key, 'An argument'))
    : readText(fields.text(key))
  if (!reading) return undefined
  if (!reading.ok) {
    fields.say(key, `"${key}" cannot be run. ${reading.problem}`)
    return undefined
  }
  const { argv } = reading
  for (const name of unknownPlaceholders(argv)) {
    fields.say(
      key,
      `{${name}} stands for nothing here. There is: ${placeholders.map((known) => `{${known}}`).join(', ')}.`,
    )
  }
  if (argv[0]?.includes('{session_id}') === true) fields.say(key, 'The program itself cannot be {session_id}.')
  return argv
}

function asReading(argv: readonly string[] | undefined): CommandLineReading | undefined {
  if (argv === undefined) return undefined
  const [program = ''] = argv
  if (program !== '' && !program.startsWith('-')) return { ok: true, argv }
  return { ok: false, problem: 'Write the program first, then its arguments.' }
}

function readText(text: string | undefined): CommandLineReading | undefined {
  return text === undefined ? undefined : readCommandLine(text)
}

function readNames(fields: Fields): readonly string[] | undefined {
  const names = fields.texts('env', 'The name of a variable')
  names?.forEach((name, at) => {
    if (name.includes('=')) fields.say('env', '"env" takes the names of variables. A value goes below "set".', at)
    else if (!mayPass(name)) fields.say('env', `The variable ${name} is never handed to an agent.`, at)
  })
  return names
}

function readValues(fields: Fields): Readonly<Record<string, string>> | undefined {
  const pairs = fields.pairs('set')
  if (!pairs) return undefined
  for (const name of pairs.keys()) {
    if (!mayPass(name)) fields.say('set', `The variable ${name} is never handed to an agent.`, name)
    else if (isSecretName(name)) {
      fields.say(
        'set',
        `${name} sounds like a secret, which has no place in this file. Put its name below "env".`,
        name,
      )
    }
  }
  return Object.fromEntries(pairs)
}

/** The modes in which an agent asks, where its adapter knows them. */
const knownModes: Partial<Record<AdapterName, Asking | undefined>> = {
  claude: claudeProfiles[0]?.asking,
  codex: codexProfiles[0]?.asking,
}

function readAsking(fields: Fields, adapter: AdapterName | undefined, isExtending: boolean): Asking | undefined {
  if (!fields.has('asking')) {
    if (adapter === 'acp' && !isExtending) {
      fields.say(
        'asking',
        'There is no "asking". Name the modes in which it asks, as in "asking: [default, plan]", or say "asking: settings".',
      )
    }
    if (adapter === undefined) return undefined
    return runsProgram(adapter) ? { by: 'settings' } : isExtending ? undefined : knownModes[adapter]
  }
  if (adapter !== undefined && runsProgram(adapter)) {
    fields.say('asking', 'A program asks nobody before it acts. Leave "asking" out.')
    return undefined
  }
  if (fields.isList('asking')) {
    const modes = fields.texts('asking', 'A mode') ?? []
    if (modes.length === 0) fields.say('asking', '"asking" names no mode.')
    return { by: 'mode', modes }
  }
  if (fields.text('asking') === 'settings') return { by: 'settings' }
  fields.say('asking', '"asking" has to be a list of modes, as in [default, plan], or settings.')
  return undefined
}

function readFolder(fields: Fields): Pick<AgentProfile, 'folder' | 'hasScratch'> {
  const folder = fields.text('folder')
  if (folder === undefined) return {}
  if (folder === 'scratch') return { hasScratch: true }
  if (isAbsolute(folder)) return { folder }
  fields.say('folder', '"folder" has to be an absolute path, or scratch: a folder of its own for each session.')
  return {}
}

/** A file that is followed stands where others have a program, and is read from its end on. */
function readLogFile(fields: Fields): readonly string[] | undefined {
  const file = fields.text('log_file')
  if (fields.has('command')) {
    fields.say('command', 'With output_capture: log a file is followed and nothing is started. Leave "command" out.')
  }
  if (!fields.has('log_file')) fields.say('log_file', 'There is no "log_file": the file that is followed.')
  if (file === undefined) return undefined
  if (isAbsolute(file)) return [file, 'from-end']
  fields.say('log_file', '"log_file" has to be an absolute path.')
  return undefined
}
