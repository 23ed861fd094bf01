/**
 * What a file is, as one text: `<mode> <content>`, with the rights behind it where they are not the usual ones; or
 * `large <what is known of it>` where it is too large to keep. In a tree that stands as `files/<path>`,
 * `rights/<rights>/<path>` and `large/<what>/<path>`, so that two trees differ where two states do.
 */
const parts = ['files', 'rights', 'large'] as const
type Part = (typeof parts)[number]

/** The members of a state. */
export function readState(state: string): { mode: string; oid: string; rights: string | undefined; isLarge: boolean } {
  const [mode = '', oid = '', rights] = state.split(' ')
  return { mode, oid, rights, isLarge: mode === 'large' }
}

/** Where a state stands in a tree; without a value an empty file says it all. */
export function placesOf(path: string, state: string): { place: string; value?: string }[] {
  const { mode, oid, rights, isLarge } = readState(state)
  if (isLarge) return [{ place: `large/${oid}/${path}` }]
  const file = { place: `files/${path}`, value: `${mode} ${oid}` }
  return rights === undefined ? [file] : [file, { place: `rights/${rights}/${path}` }]
}

function split(place: string): { part: Part; note: string; path: string } | undefined {
  const part = parts.find((one) => place.startsWith(`${one}/`))
  if (part === undefined) return undefined
  const rest = place.slice(part.length + 1)
  if (part === 'files') return { part, note: '', path: rest }
  const at = rest.indexOf('/')
  return { part, note: rest.slice(0, at), path: rest.slice(at + 1) }
}

/** The file that a place in a tree speaks of. */
export function pathOf(place: string): string | undefined {
  return split(place)?.path
}

/** States of files, put together from the places in trees. */
export class States {
  readonly #of = new Map<string, Partial<Record<Part, string | undefined>>>()

  static of(states: ReadonlyMap<string, string>): States {
    const all = new States()
    for (const [path, state] of states) {
      for (const { place, value } of placesOf(path, state)) all.put(place, value ?? '')
    }
    return all
  }

  put(place: string, value: string): void {
    const at = split(place)
    if (at) this.#set(at.path, at.part, at.part === 'files' ? value : at.note)
  }

  /** What another place says by now of the same file stays. */
  drop(place: string): void {
    const at = split(place)
    if (!at) return
    if (at.part === 'files' || this.#of.get(at.path)?.[at.part] === at.note) this.#set(at.path, at.part, undefined)
  }

  get(path: string): string | undefined {
    const { files, rights, large } = this.#of.get(path) ?? {}
    if (large !== undefined) return `large ${large}`
    return files === undefined || rights === undefined ? files : `${files} ${rights}`
  }

  all(): ReadonlyMap<string, string> {
    const states = new Map<string, string>()
    for (const path of this.#of.keys()) {
      const state = this.get(path)
      if (state !== undefined) states.set(path, state)
    }
    return states
  }

  #set(path: string, part: Part, value: string | undefined): void {
    const known = this.#of.get(path)
    if (known) known[part] = value
    else this.#of.set(path, { [part]: value })
  }
}
