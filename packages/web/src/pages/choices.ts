import { whatOf } from '../list/row-words.ts'
import type { SeenRow } from '../list/seen-rows.ts'
import { chooseDensity, chooseTheme } from '../live/appearance.ts'
import type { Choice } from '../parts/palette.tsx'
import { legibleName } from '../text/legible.ts'

/** Sessions that are found by their words at once; older ones are reached from the list. */
const sessionsMax = 500

/** Where the palette can lead. */
export interface Goals {
  session: (session: string) => void
  page: (path: '/' | '/needs' | '/tasks' | '/audit' | '/search' | '/settings' | '/design') => void
  openStart: () => void
  openKeys: () => void
}

/** What the palette finds: sessions, pages and commands. */
export function choicesOf(sessions: readonly SeenRow[], goals: Goals, nowMs: number): readonly Choice[] {
  return [
    ...sessions.slice(0, sessionsMax).map((row): Choice => ({
      id: row.session,
      kind: 'Sessions',
      label: legibleName(row.title),
      hint: whatOf(row, nowMs),
      run: () => goals.session(row.session),
    })),
    { id: 'needs', kind: 'Pages', label: 'Needs you', run: () => goals.page('/needs') },
    { id: 'board', kind: 'Pages', label: 'Board', hint: 'cards by column', run: () => goals.page('/tasks') },
    { id: 'sessions', kind: 'Pages', label: 'Sessions', run: () => goals.page('/') },
    {
      id: 'search',
      kind: 'Pages',
      label: 'Search',
      hint: 'everything that was said',
      run: () => goals.page('/search'),
    },
    {
      id: 'audit',
      kind: 'Pages',
      label: 'Audit',
      hint: 'who decided what',
      run: () => goals.page('/audit'),
    },
    {
      id: 'settings',
      kind: 'Pages',
      label: 'Settings',
      hint: 'theme, tokens, password',
      run: () => goals.page('/settings'),
    },
    { id: 'design', kind: 'Pages', label: 'Design', hint: 'tokens and components', run: () => goals.page('/design') },
    { id: 'compact', kind: 'Commands', label: 'Compact', hint: 'density', run: () => chooseDensity('compact') },
    {
      id: 'comfortable',
      kind: 'Commands',
      label: 'Comfortable',
      hint: 'density',
      run: () => chooseDensity('comfortable'),
    },
    { id: 'dark', kind: 'Commands', label: 'Dark', hint: 'theme', run: () => chooseTheme('dark') },
    { id: 'light', kind: 'Commands', label: 'Light', hint: 'theme', run: () => chooseTheme('light') },
    { id: 'new', kind: 'Commands', label: 'New session', key: 'n', run: goals.openStart },
    { id: 'keys', kind: 'Commands', label: 'All keys', key: '?', run: goals.openKeys },
  ]
}
