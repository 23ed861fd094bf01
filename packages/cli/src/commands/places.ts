import { join } from 'node:path'
import { elapsedText } from '@hotline/core/elapsed'
import { type KeptPlace, KeptPlaces, type StaysBecause } from '@hotline/runner/isolation/kept-places'
import type { Command } from 'commander'
import { inLine } from '../approval-card.ts'
import { fail } from '../failure.ts'
import { namedBy } from '../find-id.ts'
import { shownIdChars } from '../session-row.ts'
import type { CommandContext } from './context.ts'

/** `places`: the worktrees and copies that sessions left on this machine. */
export function addPlacesCommand(program: Command, context: CommandContext): void {
  const places = program
    .command('places')
    .description('the worktrees and copies of sessions on this machine: what they take, and what is in them')
  places.action(async () => {
    const found = await keptPlaces(context).list()
    if (context.json) for (const place of found) context.write(`${JSON.stringify(place)}\n`)
    else if (found.length === 0) context.write('There are none.\n')
    else context.write(found.map((place) => placeLines(place, new Date())).join(''))
  })
  places
    .command('remove')
    .description('remove one whose session is over; one that holds work that is nowhere else only by its name')
    .argument('<session>', 'its id, or the beginning of it')
    .option('--named <name>', 'the name of its branch, or of a copy that of the folder: also what is nowhere else goes')
    .action(async (text: string, { named }: { named?: string }) => {
      const kept = keptPlaces(context)
      const [place, another] = namedBy(text, await kept.list(), ({ session }) => session)
      if (!place) throw fail('not_found', `No place here is of a session "${text}". See: hotline places`)
      if (another) throw fail('invalid_request', `Several sessions begin with "${text}". Give more of the id.`)
      const why = await kept.remove(place.session, named)
      if (why) throw fail('invalid_transition', staysText(why, place))
      const branch = place.work && place.work.commits > 0 ? ` The branch ${inLine(place.name)} stays.` : ''
      context.print({ removed: place.folder }, `removed ${inLine(place.folder)}.${branch}\n`)
    })
}

function keptPlaces(context: CommandContext): KeptPlaces {
  return new KeptPlaces(join(context.settings().dataDir, 'worktrees'), process.env)
}

/** Two lines: whose it is and what it takes and holds, and where. */
function placeLines(place: KeptPlace, now: Date): string {
  const { session, isolation, folder, from, since, branch } = place
  const age = elapsedText(Math.max(0, now.getTime() - Date.parse(since)))
  const columns = [
    session.slice(0, shownIdChars).padEnd(shownIdChars),
    isolation.padEnd(8),
    sizeText(place).padStart(9),
    age.padStart(8),
    holds(place),
  ]
  const of = branch === undefined ? '' : `, on ${inLine(branch)}`
  return `${columns.join('  ')}\n${' '.repeat(shownIdChars + 2)}${inLine(folder)}, taken from ${inLine(from)}${of}\n`
}

function sizeText({ sizeBytes, isLarger }: KeptPlace): string {
  const units = ['B', 'kB', 'MB', 'GB', 'TB']
  const step = sizeBytes < 1 ? 0 : Math.min(Math.floor(Math.log10(sizeBytes) / 3), units.length - 1)
  return `${isLarger ? '> ' : ''}${Number((sizeBytes / 1_000 ** step).toFixed(1))} ${units[step]}`
}

function holds({ inUse, isolation, work }: KeptPlace): string {
  if (inUse) return 'in use: its session is not over'
  if (isolation === 'copy') return 'a copy: nobody can tell what in it is new'
  if (!work) return 'nobody can tell what it holds'
  const parts = workParts(work)
  return parts.length === 0 ? 'nothing new' : parts.join(', ')
}

function workParts({ uncommitted, commits }: NonNullable<KeptPlace['work']>): string[] {
  return [
    ...(uncommitted > 0 ? [`${uncommitted} uncommitted ${uncommitted === 1 ? 'file' : 'files'}`] : []),
    ...(commits > 0 ? [`${commits} ${commits === 1 ? 'commit' : 'commits'} that no other branch has`] : []),
  ]
}

function staysText(why: StaysBecause, { session, folder, name, work }: KeptPlace): string {
  const how = `hotline places remove ${session.slice(0, shownIdChars)} --named ${inLine(name)}`
  switch (why) {
    case 'in_use':
      return 'Its session is not over and may go on there. End it first: hotline abort'
    case 'not_there':
      return 'It is not there any more.'
    case 'has_work': {
      const lost = work && work.uncommitted > 0 ? 'The uncommitted files would be lost' : 'Its branch would stay'
      return `It holds ${work ? workParts(work).join(' and ') : 'work'}: ${inLine(folder)}. ${lost}. To remove it all the same: ${how}`
    }
    case 'unknown':
      return `Nobody can tell what in it is nowhere else: ${inLine(folder)}. To remove it all the same: ${how}`
  }
}
