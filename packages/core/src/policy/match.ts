import type { PolicyMatch, PolicyRule, TemplateWord } from '@hotline/protocol/policy'
import { type Risk, risks } from '@hotline/protocol/risk'
import type { Deed, PolicyRequest } from './deed.ts'
import { type NamedPath, namedPaths, readPaths } from './named-path.ts'
import { foldPath, holdsPath, resolvePath } from './path.ts'
import { looseWords, programOf, whyNotRemembered } from './programs.ts'

/** A request with all that rules look at. */
export interface ReadRequest {
  request: PolicyRequest
  deed: Deed
  risk: Risk
  /** Hex SHA-256 of the exact input; absent where it is not at hand. */
  inputDigest: string | undefined
}

/**
 * Whether a rule is about a request. What allows must fit exactly, and anything that is not plainly known does not; what
 * asks or denies fits wherever it could be meant.
 */
export function fits({ effect, match }: Pick<PolicyRule, 'effect' | 'match'>, read: ReadRequest): boolean {
  const { request, deed, risk, inputDigest } = read
  const { agent, tool, does, input } = match
  if (agent !== undefined && agent !== request.agent) return false
  if (tool !== undefined && tool !== request.tool) return false
  if (does !== undefined && does !== deed.does) return false
  if (input !== undefined && input !== inputDigest) return false
  return effect === 'allow' ? isAllowed(match, read) : isMeant(match, request, deed, risk)
}

function isAllowed(match: PolicyMatch, { request, deed, risk }: ReadRequest): boolean {
  const { command, path, host } = match
  // Whether an agent shall begin is for people alone.
  if (deed.does === 'plan') return false
  if (match.risk !== undefined && risks.indexOf(risk) > risks.indexOf(match.risk)) return false
  if (command !== undefined && !(deed.does === 'run' && deed.argv && isTemplateOf(command, deed.argv))) return false
  if (host !== undefined && !(deed.does === 'fetch' && deed.host === host.toLowerCase())) return false
  if (path === undefined) return true
  if (deed.does !== 'edit' && deed.does !== 'read') return false
  const named = readPaths(request, deed.paths)
  return named.length > 0 && named.every((one) => isPathAllowed(path, one))
}

/** Word by word, and of the same length. */
function isTemplateOf(template: readonly TemplateWord[], argv: readonly string[]): boolean {
  if (template.length !== argv.length || whyNotRemembered(argv) !== undefined) return false
  return template.every((word, at) => {
    const given = argv[at] ?? ''
    return typeof word === 'string' ? word === given : isPlainWord(given)
  })
}

/** No option, no assignment, nothing that leads out of the folder, and no address. */
function isPlainWord(word: string): boolean {
  return /^[A-Za-z0-9][A-Za-z0-9@%+:,._/-]*$/.test(word) && !word.includes('..') && !word.includes('//')
}

/** As it is written and as it is on the machine. What is protected is allowed by its own name alone. */
function isPathAllowed(path: string, { whole, opened, inside, odd, protected: kept }: NamedPath): boolean {
  if (odd !== undefined) return false
  const names = path.startsWith('/') ? [whole, opened] : [inside?.written, inside?.opened]
  if (kept !== undefined && path.endsWith('/')) return false
  return names.every((name) => name !== undefined && holdsPath(path, name))
}

function isMeant(
  { command, path, host, risk: least }: PolicyMatch,
  request: PolicyRequest,
  deed: Deed,
  risk: Risk,
): boolean {
  if (least !== undefined && risks.indexOf(risk) < risks.indexOf(least)) return false
  if (command !== undefined && !(deed.does === 'run' && occursIn(command, deed))) return false
  if (host !== undefined && !isHostMeant(host, request, deed)) return false
  return path === undefined || pathsOf(request, deed).some((one) => isPathMeant(path, one, request.cwd))
}

function occursIn(template: readonly TemplateWord[], { text, argv }: Extract<Deed, { does: 'run' }>): boolean {
  const words = new Set([...looseWords(text), ...(argv ?? []).flatMap((word) => [...looseWords(word)])])
  return template.every((word, at) => {
    if (typeof word !== 'string') return true
    if (at === 0) return words.has(programOf(word))
    return [...looseWords(word)].every((part) => words.has(part))
  })
}

function isHostMeant(host: string, { input = '' }: PolicyRequest, deed: Deed): boolean {
  return deed.does === 'fetch' ? deed.host === host.toLowerCase() : foldText(input).includes(foldText(host))
}

/** Every path that a request could be about; of a command each of its words, and where links lead what it writes. */
function pathsOf(request: PolicyRequest, deed: Deed): readonly string[] {
  const words = deed.does === 'run' ? looseWords(deed.text) : []
  return [
    ...words,
    ...readPaths(request, namedPaths(deed)).flatMap(({ named, opened }) =>
      opened === undefined ? [named] : [named, opened],
    ),
  ]
}

function isPathMeant(rule: string, path: string, cwd: string | undefined): boolean {
  const wholeRule = wholeOf(rule, cwd)
  const whole = wholeOf(path, cwd)
  if (wholeRule === undefined || whole === undefined) return foldPath(path) === foldPath(rule)
  return whole === wholeRule || (rule.endsWith('/') && whole.startsWith(wholeRule === '/' ? '/' : `${wholeRule}/`))
}

function wholeOf(path: string, cwd: string | undefined): string | undefined {
  const folded = foldPath(path)
  return resolvePath(folded === '' ? '.' : folded, cwd === undefined ? undefined : foldPath(cwd))
}

function foldText(text: string): string {
  return text
    .normalize('NFKC')
    .replace(/\p{Cf}/gu, '')
    .toLowerCase()
}
