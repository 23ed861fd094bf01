import { readExactly } from '../exact-text.ts'
import { type Deed, type PolicyRequest, readDeed } from './deed.ts'
import { looseWords, programOf } from './programs.ts'
import { type RiskReading, riskOfRequest } from './risk.ts'

/** A request as it stands in lists: one line of what would run, and what others of its kind have in common with it. */
export interface RequestShape {
  /** The command, the file or the host itself; absent where only the agent has words for it. */
  line: string | undefined
  /** Requests of one shape are shown together: `git commit …`. Absent where it is like no other. */
  shape: string | undefined
}

/** More of a command is on its card. */
const lineChars = 200
/** What a program is told to do: `commit`, `run-script`. */
const verb = /^[A-Za-z][A-Za-z0-9:_-]{0,30}$/

/** Made of the bytes that would run alone. It is for lists: nothing is decided by it. */
export function shapeOf(request: PolicyRequest): RequestShape {
  const deed = readDeed(request)
  switch (deed.does) {
    case 'run':
      return { line: deed.text.slice(0, lineChars), shape: deed.argv && shapeOfCommand(deed.argv) }
    case 'edit':
    case 'read':
      return { line: deed.paths.join(' ').slice(0, lineChars), shape: `${deed.does} …` }
    case 'fetch':
      return { line: deed.host, shape: `${deed.host}/…` }
    case 'plan':
    case 'other':
      return { line: undefined, shape: undefined }
  }
}

function shapeOfCommand([program = '', ...given]: readonly string[]): string {
  const [first] = given
  return [programOf(program), ...(first !== undefined && verb.test(first) ? [first] : []), '…'].join(' ')
}

/** What a person types before that is allowed, and why. */
export interface WordToType {
  word: string
  why: string
  /** Allowing it takes the right to allow what is of high risk. */
  isHigh: boolean
}

/** For where nothing in a request is a word that anybody could type. */
const plainWord = 'allow'

/**
 * The word without which a request is not for a click or a key: what deceives the eye takes "allow"; what is of high risk the
 * name of its program, host, file or tool, so that it has been read. Undefined where none is needed. `stored`: the risk as
 * it stands in the log; what would run in its place may make it higher, never lower.
 */
export function wordToType(request: PolicyRequest, stored: RiskReading['risk'] | undefined): WordToType | undefined {
  if (request.input !== undefined && readExactly(request.input).grave) {
    return { word: plainWord, why: 'It holds what deceives the eye.', isHigh: true }
  }
  const { risk, why } = riskOfRequest(request)
  if (stored !== 'high' && risk !== 'high') return undefined
  const [reason] = risk === 'high' ? why : []
  const said = reason === undefined ? 'High risk.' : `High risk: ${reason}.`
  return { word: nameIn(readDeed(request), request.tool), why: said, isHigh: true }
}

function nameIn(deed: Deed, tool: string): string {
  const name = nameOf(deed, tool)
  return /^[A-Za-z0-9_.@-]{1,40}$/.test(name) ? name : plainWord
}

function nameOf(deed: Deed, tool: string): string {
  switch (deed.does) {
    case 'run':
      return programOf(deed.argv?.[0] ?? [...looseWords(deed.text)][0] ?? '')
    case 'edit':
    case 'read':
      return deed.paths[0]?.split('/').at(-1) ?? ''
    case 'fetch':
      return deed.host
    case 'plan':
    case 'other':
      return tool
  }
}
