import { lstatSync, readdirSync, readFileSync, statSync } from 'node:fs'
import { isAbsolute, join } from 'node:path'
import type { OwnRules } from '@hotline/protocol/own-rules'
import type { PolicyEffect } from '@hotline/protocol/policy'
import { parseObject } from '../adapters/wire/json.ts'

/** Whose form the rules of an agent have. */
export type RulesForm = 'claude' | 'codex'

const rulesMax = 100
const ruleChars = 200
const fileBytesMax = 256 * 1024
const filesMax = 20
/** Levels of brackets. */
const depthMax = 20

interface Rule {
  effect: PolicyEffect
  text: string
}

/**
 * What a person has written into the settings of an agent about what it does not ask; undefined where there is nothing of that.
 * Only rules are told, of all else in these files nothing; they are read as they are now and never written.
 */
export function readOwnRules(
  form: RulesForm | undefined,
  env: Readonly<Record<string, string | undefined>>,
): OwnRules | undefined {
  switch (form) {
    case undefined:
      return undefined
    case 'claude':
      return told(folderOf('CLAUDE_CONFIG_DIR', '.claude', env), 'settings.json', env, claudeRules)
    case 'codex':
      return told(folderOf('CODEX_HOME', '.codex', env), 'rules', env, codexRules)
  }
}

/** `permissions` of the person's settings: what a project or an organisation adds is not here. */
function claudeRules(path: string): readonly Rule[] {
  const { permissions } = parseObject(textOf(path), depthMax) ?? {}
  const lists = typeof permissions === 'object' && permissions !== null ? { ...permissions } : {}
  return (['deny', 'ask', 'allow'] as const).flatMap((effect) => {
    const list: unknown = (lists as Record<string, unknown>)[effect]
    return (Array.isArray(list) ? list : []).flatMap((text: unknown) =>
      typeof text === 'string' ? [{ effect, text }] : [],
    )
  })
}

const decisions: Readonly<Record<string, PolicyEffect>> = { allow: 'allow', prompt: 'ask', forbidden: 'deny' }
/** Rules are calls, one after another; their strings hold no bracket that matters more often than once in a blue moon. */
const prefixRule = /^[ \t]*prefix_rule\(([^)]*)\)/gm

/** Rules for the beginnings of commands, in the files of that folder. */
function codexRules(folder: string): readonly Rule[] {
  return rulesFiles(folder).flatMap((path) =>
    [...textOf(path).matchAll(prefixRule)].flatMap(([, inside = '']) => {
      const pattern = /\bpattern\s*=\s*(\[[^=]*\])/.exec(inside)?.[1]
      // Without a decision it is one that allows.
      const effect = decisions[/\bdecision\s*=\s*"([a-z]+)"/.exec(inside)?.[1] ?? 'allow']
      return pattern === undefined || effect === undefined ? [] : [{ effect, text: pattern.replace(/\s+/g, ' ') }]
    }),
  )
}

function rulesFiles(folder: string): readonly string[] {
  try {
    const names = readdirSync(folder).filter((name) => name.endsWith('.rules'))
    return names
      .toSorted()
      .slice(0, filesMax)
      .map((name) => join(folder, name))
  } catch {
    // None, or none that we may read.
    return []
  }
}

function told(
  folder: string | undefined,
  name: string,
  { HOME }: Readonly<Record<string, string | undefined>>,
  read: (path: string) => readonly Rule[],
): OwnRules | undefined {
  if (folder === undefined) return undefined
  const path = join(folder, name)
  const rules = read(path)
  if (rules.length === 0) return undefined
  const shown = HOME !== undefined && path.startsWith(`${HOME}/`) ? `~${path.slice(HOME.length)}` : path
  return {
    file: shown.slice(0, 300).toWellFormed(),
    rules: rules.slice(0, rulesMax).map(({ effect, text }) => ({ effect, text: fit(text) })),
    more: Math.max(0, rules.length - rulesMax),
  }
}

/** What looks like a key is no part of a rule that anybody has to read. */
function fit(text: string): string {
  const masked = text.replace(/[A-Za-z0-9_+-]{20,}/g, (run) => (/[0-9]/.test(run) && /[A-Za-z]/.test(run) ? '…' : run))
  return masked.length > ruleChars ? `${masked.slice(0, ruleChars - 2).toWellFormed()} …` : masked.toWellFormed()
}

function folderOf(
  variable: string,
  folder: string,
  env: Readonly<Record<string, string | undefined>>,
): string | undefined {
  const named = env[variable]
  if (named !== undefined && isAbsolute(named)) return named
  return env['HOME'] ? join(env['HOME'], folder) : undefined
}

/** A file of a person's own, short enough to be settings; of a pipe or a device nothing. */
function textOf(path: string): string {
  try {
    const facts = lstatSync(path).isSymbolicLink() ? statSync(path) : lstatSync(path)
    return facts.isFile() && facts.size <= fileBytesMax ? readFileSync(path, 'utf8') : ''
  } catch {
    // None, or none that we may read.
    return ''
  }
}
