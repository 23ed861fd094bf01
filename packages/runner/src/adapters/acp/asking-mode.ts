import type { Asking } from '../adapter.ts'
import type { ConfigOptions, OpenedSession } from './schema.ts'

/** The modes of an agent, and how they are set: by a call of their own, or as a configuration option. */
export interface ModeView {
  current: string | undefined
  modes: readonly { id: string; name: string }[]
  /** Absent: it has no modes that we could set. */
  setBy?: { method: 'session/set_mode' } | { method: 'session/set_config_option'; configId: string }
}

/** Reads the modes from the answer to session/new, load or resume. */
export function readModes(opened: Pick<OpenedSession, 'modes' | 'configOptions'>): ModeView {
  if (opened.modes) {
    const { currentModeId: current, availableModes } = opened.modes
    return { current, modes: named(availableModes), setBy: { method: 'session/set_mode' } }
  }
  return readModeOption(opened.configOptions ?? []) ?? { current: undefined, modes: [] }
}

/** The mode among the configuration options, where it is one of them. */
export function readModeOption(options: ConfigOptions): ModeView | undefined {
  const option = options.find(({ id, category }) => category === 'mode' || (id === 'mode' && !category))
  if (!option || typeof option.currentValue !== 'string') return undefined
  const values = (option.options ?? []).flatMap((entry) => ('options' in entry ? entry.options : [entry]))
  return {
    current: option.currentValue,
    modes: named(values.map(({ value, name }) => ({ id: value, name }))),
    setBy: { method: 'session/set_config_option', configId: option.id },
  }
}

/** The model among the configuration options. */
export function readModel(options: ConfigOptions): string | undefined {
  const option = options.find(({ id, category }) => category === 'model' || (id === 'model' && !category))
  return typeof option?.currentValue === 'string' ? option.currentValue : undefined
}

/** Whether an agent in this mode asks. Some agents name a mode by an address that ends in its name. */
export function asksIn(mode: string, asking: Asking): boolean {
  if (asking.by === 'settings') return true
  const name = mode.slice(Math.max(mode.lastIndexOf('#'), mode.lastIndexOf('/')) + 1).toLowerCase()
  return asking.modes.some((known) => known.toLowerCase() === name || known.toLowerCase() === mode.toLowerCase())
}

/**
 * The mode that the agent has to be in: the one that a person chose, else one that asks, by the order of the profile.
 * Undefined where there is nothing to choose and settings make it ask. `refusal` says why it cannot be supervised.
 */
export function chooseMode(
  view: ModeView,
  asking: Asking,
  wanted: string | undefined,
): { mode: string | undefined } | { refusal: string } {
  const offered = view.modes.map(({ id }) => id)
  const list = offered.length > 0 ? `It offers: ${offered.join(', ')}.` : 'It offers no modes.'
  if (wanted !== undefined) {
    if (view.setBy && offered.includes(wanted)) return { mode: wanted }
    return { refusal: `The agent has no mode "${wanted}". ${list}` }
  }
  if (asking.by === 'settings') return { mode: undefined }
  if (view.current !== undefined && asksIn(view.current, asking)) return { mode: view.current }
  const mode = asking.modes.flatMap((name) => offered.filter((id) => asksIn(id, { by: 'mode', modes: [name] })))[0]
  if (view.setBy && mode !== undefined) return { mode }
  return { refusal: `The agent was not started: no mode is known in which it asks before it acts. ${list}` }
}

function named(modes: readonly { id: string; name: string }[]): readonly { id: string; name: string }[] {
  return modes.map(({ id, name }) => ({ id, name: name === '' ? id : name }))
}
