import { useMemo, useRef } from 'react'
import { type Group, groupOf, isOver } from './row-words.ts'
import type { SeenRow } from './seen-rows.ts'

/** Where each row stood when somebody began to point at the list, or to read further down. */
interface Held {
  places: ReadonlyMap<string, { group: Group; updatedAt: string }>
  /** When the newest of them began. */
  newest: string
}

export interface Entries {
  sections: readonly { group: Group; rows: readonly SeenRow[] }[]
  /** How many rows came, or would move up because they need somebody, and do not for now. */
  waiting: number
}

/**
 * The rows by group and in order. While `holding` each stays where it was, whatever becomes of it, so that nothing moves
 * under the pointer or away from a reader; rows of older pages still come, at the end.
 */
export function useHeld(sessions: readonly SeenRow[], groups: readonly Group[], holding: boolean): Entries {
  const held = useRef<Held>(undefined)
  if (!holding) held.current = undefined
  else held.current ??= hold(sessions)
  const now = held.current
  return useMemo(() => arrange(sessions, groups, now), [sessions, groups, now])
}

function arrange(sessions: readonly SeenRow[], groups: readonly Group[], held: Held | undefined): Entries {
  const { places, newest } = held ?? { places: undefined, newest: '' }
  const byGroup = new Map<Group, { row: SeenRow; by: string }[]>()
  let waiting = 0
  for (const row of sessions) {
    const group = groupOf(row)
    const place = places?.get(row.session)
    if (places && !place && row.createdAt > newest) {
      waiting += 1
      continue
    }
    if (place && group === 'Needs you' && place.group !== group) waiting += 1
    const shown = place?.group ?? group
    const rows = byGroup.get(shown) ?? []
    // What is over stays in the order in which it ended; what goes on does not change places.
    rows.push({ row, by: isOver(shown) ? (place?.updatedAt ?? row.updatedAt) : row.createdAt })
    byGroup.set(shown, rows)
  }
  const sections = groups.flatMap((group) => {
    const rows = byGroup.get(group) ?? []
    rows.sort((a, b) => (a.by < b.by ? 1 : a.by > b.by ? -1 : a.row.session < b.row.session ? 1 : -1))
    return rows.length === 0 ? [] : [{ group, rows: rows.map(({ row }) => row) }]
  })
  return { sections, waiting }
}

function hold(sessions: readonly SeenRow[]): Held {
  return {
    places: new Map(sessions.map((row) => [row.session, { group: groupOf(row), updatedAt: row.updatedAt }])),
    newest: sessions.reduce((newest, { createdAt }) => (createdAt > newest ? createdAt : newest), ''),
  }
}
