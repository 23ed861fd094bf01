import { isolationWords, viewLines } from '@hotline/core/place-words'
import { Bring, type FolderView, Isolation } from '@hotline/protocol/place'
import { inLine } from './approval-card.ts'
import type { Server } from './ask-server.ts'
import type { CommandContext } from './commands/context.ts'
import { Failure, fail } from './failure.ts'
import { openPrompt } from './prompt.ts'

/** What the command line says of where an agent shall work. */
export interface PlaceOptions {
  isolation?: string
  include?: string
}

/** As the start takes it. */
export interface ChosenPlace {
  isolation?: Isolation
  bring?: Bring[]
}

/** Reads `--isolation` and `--include`. Throws a `Failure`. */
export function readPlace({ isolation, include }: PlaceOptions): ChosenPlace {
  const how = isolation?.replaceAll('-', '_')
  const known = Isolation.safeParse(how)
  if (how !== undefined && !known.success) {
    throw fail('invalid_request', `--isolation takes worktree, copy or in-place, not "${isolation}".`)
  }
  const words = include === undefined ? [] : include.split(',').map((word) => word.trim())
  const bring = words.flatMap((word) => (word === 'all' ? Bring.options : [word]))
  const read = Bring.array().safeParse([...new Set(bring)])
  if (!read.success) throw fail('invalid_request', `--include takes uncommitted, ignored or all, not "${include}".`)
  if (read.data.length > 0 && known.success && known.data !== 'worktree') {
    throw fail('invalid_request', '--include is for worktrees: a copy has everything, and in place nothing is missing.')
  }
  return {
    ...(known.success ? { isolation: known.data } : {}),
    ...(read.data.length > 0 ? { bring: read.data } : {}),
  }
}

/**
 * Says where an agent will work and what is not there, before it starts; at a terminal, and where nothing was chosen, it asks
 * when something that was not committed would be missing. A machine that does not answer decides by itself, and says so in
 * the session.
 */
export async function choosePlace(
  context: CommandContext,
  server: Server,
  of: { runner: string; project: string; agent: string; folder: string; chosen: ChosenPlace },
): Promise<ChosenPlace> {
  const { runner, project, agent, folder, chosen } = of
  let view: FolderView
  try {
    const query = new URLSearchParams({ project, agent, folder })
    view = await server.get<FolderView>(`/api/runners/${encodeURIComponent(runner)}/folder?${query.toString()}`)
  } catch (error) {
    if (!(error instanceof Failure)) throw error
    // A folder that is not there is what the start says as well, in the session.
    return chosen
  }
  const isolation = chosen.isolation ?? view.standard
  const tell = (what: Isolation, bring: readonly Bring[]): void => {
    for (const line of viewLines(view, what, bring)) context.note(inLine(line))
  }
  const bring = chosen.bring ?? []
  tell(isolation, bring)
  const missing = isolation === 'worktree' ? (view.uncommitted?.count ?? 0) : 0
  const isOpen = chosen.isolation === undefined && chosen.bring === undefined
  const isAsked = isOpen && missing > 0 && !context.json && context.stdin.isTTY && process.stderr.isTTY
  if (!isAsked) {
    if (isOpen && missing > 0)
      context.note('Take them along with --include uncommitted, or choose --isolation in-place.')
    return { isolation, ...(bring.length > 0 ? { bring: [...bring] } : {}) }
  }
  const answer = await ask(context.stdin, (text) => context.note(text))
  switch (answer) {
    case 'without':
      return { isolation }
    case 'include':
      return { isolation, bring: ['uncommitted'] }
    case 'in_place':
      if (view.others.length > 0) tell('in_place', [])
      return { isolation: 'in_place' }
  }
}

async function ask(
  stdin: NodeJS.ReadStream,
  note: (text: string) => void,
): Promise<'without' | 'include' | 'in_place'> {
  const prompt = openPrompt(stdin, process.stderr)
  try {
    for (;;) {
      const typed = await prompt.line('Start [w]ithout them, [i]nclude them, or work [p]lainly in the folder? ')
      const letter = typed.trim().toLowerCase().slice(0, 1)
      if (letter === 'w') return 'without'
      if (letter === 'i') return 'include'
      if (letter === 'p') return 'in_place'
      note(`w: ${isolationWords.worktree}, as it is; i: with them; p: ${isolationWords.in_place}.`)
    }
  } finally {
    prompt[Symbol.dispose]()
  }
}
