import {
  isAlias,
  isMap,
  isNode,
  isScalar,
  type Node,
  type Pair,
  LineCounter,
  parseDocument,
  visit,
  type YAMLMap,
} from 'yaml'
import type { ProfileProblem } from '../problem.ts'

/** Bytes of the file of a profile; a long one has a few hundred. What the parser takes for one grows with their square. */
export const fileBytesMax = 16 * 1024

/** What is nested costs the parser its stack; nobody needs more levels than a handful. */
const depthMax = 20

const tooDeep = `It is nested more than ${depthMax} levels deep. A profile needs two.`

/** A file as it was understood: a mapping, and where everything in it stands. */
export interface YamlFile {
  map: YAMLMap
  place: (node: unknown) => { line: number; column: number }
}

/**
 * Reads a file as one YAML 1.2 mapping of plain values. Anchors, aliases, tags, further documents and keys that come twice
 * are refused: they say something else than they seem to, or cost more than they weigh.
 */
export function parseYaml(file: string, text: string): { yaml: YamlFile } | { problems: readonly ProfileProblem[] } {
  if (Buffer.byteLength(text) > fileBytesMax) {
    return fail(
      file,
      `The file has more than ${fileBytesMax / 1024} KiB. A profile is a short text; is it another file?`,
    )
  }
  if (text.includes('\uFFFD')) return fail(file, 'The file is no UTF-8 text. Save it as UTF-8.')
  if (nestsTooDeep(text)) return fail(file, tooDeep)
  if (/^(?:#.*\n|\s)*%/.test(text))
    return fail(file, 'Directives (%YAML, %TAG) are not read here: it is YAML 1.2. Leave it out.')
  const lines = new LineCounter()
  const document = parseDocument(text, {
    version: '1.2',
    schema: 'core',
    strict: true,
    uniqueKeys: true,
    merge: false,
    prettyErrors: false,
    logLevel: 'error',
    lineCounter: lines,
  })
  const placeAt = (offset: number): { line: number; column: number } => {
    const { line, col } = lines.linePos(offset)
    return { line: Math.max(1, line), column: Math.max(1, col) }
  }
  const place: YamlFile['place'] = (node) => placeAt((isNode(node) ? node.range?.[0] : undefined) ?? 0)
  const problems: ProfileProblem[] = [...document.errors, ...document.warnings]
    .filter(({ code }) => code !== 'TAG_RESOLVE_FAILED')
    .map(({ code, message, pos }) => ({ file, ...placeAt(pos[0]), what: inWords(code, message) }))
  const say = (node: unknown, what: string): void => void problems.push({ file, ...place(node), what })
  visit(document, {
    Node: (_, node: Node, path) => {
      const what = path.length > depthMax ? tooDeep : oddness(node)
      if (what === undefined) return undefined
      say(node, what)
      return path.length > depthMax ? visit.BREAK : undefined
    },
    Pair: (_, pair: Pair) => {
      if (!isScalar(pair.key)) say(pair.key, 'A key has to be a word. Put it in quotes.')
    },
  })
  if (problems.length > 0) return { problems: problems.slice(0, 20) }
  if (document.contents === null) return fail(file, 'The file is empty. A profile needs at least a command.')
  if (!isMap(document.contents)) {
    return {
      problems: [{ file, ...place(document.contents), what: 'A profile is a list of "key: value", one to a line.' }],
    }
  }
  return { yaml: { map: document.contents, place } }
}

function oddness(node: Node): string | undefined {
  if (isAlias(node)) return 'Aliases (*name) are not read here. Write the value itself.'
  if ('anchor' in node && node.anchor !== undefined) return 'Anchors (&name) are not read here. Leave it out.'
  return node.tag === undefined ? undefined : 'Tags (!name) are not read here. Leave it out.'
}

/** The few mistakes that everybody makes, in words that say what to do; the others in the words of the parser. */
function inWords(code: string, message: string): string {
  // oxlint-disable-next-line typescript/switch-exhaustiveness-check -- a code is any text
  switch (code) {
    case 'DUPLICATE_KEY':
      return 'This key stands here a second time. Leave one of them out.'
    case 'MULTIPLE_DOCS':
      return 'A file holds one profile. Put what comes after "---" into a file of its own.'
    case 'TAB_AS_INDENT':
      return 'The line begins with a tab. YAML takes spaces.'
    case 'BAD_ALIAS':
      return 'Aliases (*name) are not read here. Put the value in quotes if it is meant as text.'
    case 'BLOCK_AS_IMPLICIT_KEY':
    case 'MULTILINE_IMPLICIT_KEY':
      return 'A colon followed by a space begins a value. Put the whole text in quotes if it belongs to it.'
    default:
      return `This is no YAML: ${message.replace(/\.?\s*$/, '.')}`
  }
}

/** Looked at before parsing: more than really nests, never less. */
function nestsTooDeep(text: string): boolean {
  let depth = 0
  for (const char of text) {
    if (char === '[' || char === '{') depth += 1
    else if (char === ']' || char === '}') depth = Math.max(0, depth - 1)
    if (depth > depthMax) return true
  }
  return text.split('\n').some((line) => (/^(?: *[-?] )*/.exec(line)?.[0].replaceAll(' ', '').length ?? 0) > depthMax)
}

function fail(file: string, what: string): { problems: readonly ProfileProblem[] } {
  return { problems: [{ file, line: 1, column: 1, what }] }
}
