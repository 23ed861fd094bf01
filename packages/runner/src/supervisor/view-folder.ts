import type { FolderAnswer } from '@hotline/protocol/place'
import type { Isolator } from '../isolation/isolator.ts'
import type { AgentProfile } from '../profiles/profile.ts'
import type { Neighbours } from '../workspace/neighbours.ts'
import { namedCount } from '../isolation/look.ts'
import { readFolderSettings } from '../trust/folder-settings.ts'
import { settingsNames } from '../trust/settings-names.ts'
import { wishOf } from './place-of.ts'

/** Sessions that are named. */
const namedMax = 10
const whyChars = 500

/** What somebody wants to know before a start. */
export interface FolderQuestion {
  ask: string
  agent: string
  folder: string
}

/** What a folder is like for an agent of this profile. It never throws: what is wrong with the folder is the answer. */
export async function viewFolder(
  { ask, folder }: FolderQuestion,
  of: {
    isolator: Isolator | undefined
    neighbours: Neighbours | undefined
    profile: AgentProfile | undefined
    home: string | undefined
  },
): Promise<FolderAnswer> {
  const { isolator, neighbours, profile, home } = of
  if (!isolator || !profile) return { ask, why: 'There is no such agent on this machine.' }
  try {
    const view = await isolator.view(folder, wishOf(profile))
    const others = (neighbours?.in(view.folder) ?? []).slice(0, namedMax)
    const setup = profile.setup?.join(' ')
    const settings = (await readFolderSettings(view.folder, { names: settingsNames(profile), home })).map(
      ({ path }) => path,
    )
    return {
      ask,
      view: {
        ...view,
        others: [...others],
        ...(setup === undefined ? {} : { setup }),
        ...(settings.length === 0 ? {} : { settings: namedCount(settings) }),
      },
    }
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error)
    const isMissing = error instanceof Error && 'code' in error && error.code === 'ENOENT'
    return { ask, why: isMissing ? `There is no folder "${folder}" on this machine.` : why.slice(0, whyChars) }
  }
}
