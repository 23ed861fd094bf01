import { isMap, isScalar, isSeq, type YAMLMap } from 'yaml'
import { nearest } from '../nearest.ts'
import type { ProfileProblem } from '../problem.ts'
import type { YamlFile } from './parse-yaml.ts'

/** The values of a mapping, asked for by key. What is wrong is said with its place, and reads as absent. */
export interface Fields {
  has(key: string): boolean
  text(key: string, rule?: { max?: number }): string | undefined
  choice<T extends string>(key: string, of: readonly T[]): T | undefined
  flag(key: string): boolean | undefined
  /** A whole number from 1. */
  count(key: string, max: number): number | undefined
  /** A list of texts. */
  texts(key: string, what: string): readonly string[] | undefined
  /** A mapping of texts. */
  pairs(key: string): ReadonlyMap<string, string> | undefined
  /** A mapping with keys of its own. */
  block(key: string, known: readonly string[]): Fields | undefined
  isList(key: string): boolean
  isBlock(key: string): boolean
  /** Says what is wrong with the value of a key, or with the mapping where it has none; `item`: of one of its members. */
  say(key: string, what: string, item?: number | string): void
}

/** No value of a profile is longer. */
const textMax = 2_000

const itemsMax = 256

/** Reads a mapping that has no other keys than `known`. */
export function readFields(options: {
  file: string
  yaml: YamlFile
  map: YAMLMap
  known: readonly string[]
  problems: ProfileProblem[]
}): Fields {
  const { file, yaml, map, known, problems } = options
  const values = new Map<string, unknown>()
  const tell = (node: unknown, what: string): void => void problems.push({ file, ...yaml.place(node), what })
  for (const { key, value } of map.items) {
    const name = isScalar(key) ? String(key.value) : ''
    if (known.includes(name)) values.set(name, value)
    else tell(key, `There is no key "${name}" here. ${whatInstead(name, known)}`)
  }

  /** A text that could be misread is refused rather than guessed at: `on`, `1.0` and `null` are no texts to YAML. */
  const textOf = (node: unknown, what: string, max: number): string | undefined => {
    if (!isScalar(node) || typeof node.value !== 'string') {
      tell(node, `${what} has to be text${isScalar(node) && node.value !== null ? ': put it in quotes' : ''}.`)
      return undefined
    }
    if (node.value.trim() === '') tell(node, `${what} is empty.`)
    else if (node.value.length > max) tell(node, `${what} has more than ${max} characters.`)
    else if (/[\u0000-\u0008\u000b-\u001f\u007f]/.test(node.value)) tell(node, `${what} holds a control character.`)
    else return node.value
    return undefined
  }

  return {
    has: (key) => values.has(key),
    isList: (key) => isSeq(values.get(key)),
    isBlock: (key) => isMap(values.get(key)),
    text: (key, { max = textMax } = {}) => (values.has(key) ? textOf(values.get(key), `"${key}"`, max) : undefined),
    choice: (key, of) => {
      if (!values.has(key)) return undefined
      const node = values.get(key)
      const value = isScalar(node) ? String(node.value) : ''
      const found = of.find((one) => one === value)
      if (found === undefined) tell(node, `"${key}" has to be one of: ${of.join(', ')}.${didYouMean(value, of)}`)
      return found
    },
    flag: (key) => {
      if (!values.has(key)) return undefined
      const node = values.get(key)
      if (isScalar(node) && typeof node.value === 'boolean') return node.value
      tell(node, `"${key}" has to be true or false, without quotes.`)
      return undefined
    },
    count: (key, max) => {
      if (!values.has(key)) return undefined
      const node = values.get(key)
      const count = isScalar(node) ? node.value : undefined
      if (Number.isInteger(count) && Number(count) >= 1 && Number(count) <= max) return Number(count)
      tell(node, `"${key}" has to be a whole number from 1 to ${max}, without quotes.`)
      return undefined
    },
    texts: (key, what) => {
      if (!values.has(key)) return undefined
      const node = values.get(key)
      if (!isSeq(node)) {
        tell(node, `"${key}" has to be a list: [one, two].`)
        return undefined
      }
      if (node.items.length > itemsMax) tell(node, `"${key}" has more than ${itemsMax} members.`)
      const read = node.items.slice(0, itemsMax).map((item) => textOf(item, what, textMax))
      const whole = read.filter((item) => item !== undefined)
      return whole.length === node.items.length ? whole : undefined
    },
    pairs: (key) => {
      if (!values.has(key)) return undefined
      const node = values.get(key)
      if (!isMap(node)) {
        tell(node, `"${key}" has to be a list of "NAME: value", one to a line.`)
        return undefined
      }
      if (node.items.length > itemsMax) tell(node, `"${key}" has more than ${itemsMax} members.`)
      const pairs = new Map<string, string>()
      for (const { key: name, value } of node.items.slice(0, itemsMax)) {
        const word = isScalar(name) ? String(name.value) : ''
        const text = textOf(value, `"${word}"`, textMax)
        if (text !== undefined) pairs.set(word, text)
      }
      return pairs
    },
    block: (key, of) => {
      if (!values.has(key)) return undefined
      const node = values.get(key)
      if (isMap(node)) return readFields({ file, yaml, map: node, known: of, problems })
      tell(node, `"${key}" has to be a block: ${of.slice(0, 3).join(', ')} … below it, each on a line of its own.`)
      return undefined
    },
    say: (key, what, item) => {
      const node = values.get(key)
      const member =
        typeof item === 'number' && isSeq(node)
          ? node.items[item]
          : typeof item === 'string' && isMap(node)
            ? node.items.find(({ key: name }) => isScalar(name) && String(name.value) === item)?.key
            : undefined
      tell(member ?? node ?? map, what)
    },
  }
}

function whatInstead(name: string, known: readonly string[]): string {
  const near = nearest(name, known)
  return near === undefined ? `There are: ${known.join(', ')}.` : `Did you mean "${near}"?`
}

function didYouMean(value: string, of: readonly string[]): string {
  const near = nearest(value, of)
  return near === undefined ? '' : ` Did you mean "${near}"?`
}
