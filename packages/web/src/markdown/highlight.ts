import { common, createLowlight } from 'lowlight'

/** A piece of code, and what it is: `keyword`, `string`, …; undefined for what is just code. */
export interface Coloured {
  text: string
  look: string | undefined
}

const lowlight = createLowlight(common)

type Nodes = ReturnType<typeof lowlight.highlight>['children']

/** Code in pieces by what they are. Undefined for a language that is not known; nothing is guessed. */
export function colour(text: string, language: string): readonly Coloured[] | undefined {
  const name = language.toLowerCase()
  if (!lowlight.registered(name)) return undefined
  const pieces: Coloured[] = []
  const walk = (nodes: Nodes, look: string | undefined): void => {
    for (const node of nodes) {
      if (node.type === 'text') pieces.push({ text: node.value, look })
      else if (node.type === 'element') walk(node.children, lookOf(node.properties['className']) ?? look)
    }
  }
  walk(lowlight.highlight(name, text).children, undefined)
  return pieces
}

/** `hljs-title` and `function_`: the first is what it is. */
function lookOf(names: unknown): string | undefined {
  const [first] = Array.isArray(names) ? (names as unknown[]) : []
  return typeof first === 'string' ? first.replace(/^hljs-/, '') : undefined
}
