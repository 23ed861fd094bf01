import type { ConsoleRow } from '../session/console/console-rows.ts'
import { people } from './sample-items.ts'

/** A command in every state. */
export function sampleConsole(): readonly ConsoleRow[] {
  const at = new Date().toISOString()
  const by = { kind: 'person', id: people.colleague } as const
  return [
    {
      key: '1',
      at,
      text: 'resume',
      status: 'refused',
      words: 'refused: The session is active; one cannot resume it now.',
    },
    { key: '2', at, by, text: 'pause', status: 'done', words: 'done: 3 processes stand still' },
    { key: '3', at, by, text: 'stop hard', status: 'under-way', words: 'accepted, under way' },
    { key: '4', at, text: 'send look again', status: 'waits', words: 'not answered yet' },
    {
      key: '5',
      at,
      text: 'state',
      status: 'said',
      words: 'answered',
      answer: ['active, idle since 12:04', 'pid 4711'],
    },
  ]
}
