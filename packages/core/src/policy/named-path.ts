import type { Deed, PolicyRequest } from './deed.ts'
import { resolvePath, whyOddPath, whyProtected, withinFolder } from './path.ts'
import { writesOf } from './read-script.ts'

/** What is known of where the names of a request lead. */
export type Whereabouts = Pick<PolicyRequest, 'cwd' | 'opened'>

/** A file that a request names, as it is written and as it is on the machine. */
export interface NamedPath {
  named: string
  /** Absolute; undefined where the name leads nowhere. */
  whole: string | undefined
  /** Where links lead, absolute; undefined where nobody has looked. */
  opened: string | undefined
  /** From the folder of the session, as it is written and in fact; undefined where it is not in there, or nobody knows. */
  inside: { written: string; opened: string } | undefined
  /** Why it is not plain which file is meant. */
  odd: string | undefined
  /** Why it is not a file like any other. */
  protected: string | undefined
}

/** The files that a request names where it is plain that they are files: those of an edit, and what a command writes. */
export function namedPaths(deed: Deed): readonly string[] {
  switch (deed.does) {
    case 'edit':
    case 'read':
      return deed.paths
    case 'run':
      return writesOf(deed.text)
    case 'fetch':
    case 'plan':
    case 'other':
      return []
  }
}

/** Looks where the paths of a request lead. */
export function readPaths(request: Whereabouts, paths: readonly string[]): readonly NamedPath[] {
  return paths.map((named) => readPath(request, named))
}

function readPath({ cwd, opened: found = {} }: Whereabouts, named: string): NamedPath {
  const whole = resolvePath(named, cwd)
  const opened = Object.hasOwn(found, named) ? found[named] : undefined
  const root = cwd !== undefined && Object.hasOwn(found, cwd) ? found[cwd] : undefined
  const folder = cwd === undefined ? undefined : resolvePath(cwd, undefined)
  const written = whole === undefined || folder === undefined ? undefined : withinFolder(whole, folder)
  const inFact = opened === undefined || root === undefined ? undefined : withinFolder(opened, root)
  const names = [named, whole, opened].filter((path) => path !== undefined)
  const inside = written === undefined || inFact === undefined ? undefined : { written, opened: inFact }
  // An absolute name says nothing that the resolved one does not.
  const judged = inside
    ? [named.startsWith('/') ? '' : named, beyondOwnPlace(whole, folder), beyondOwnPlace(opened, root)]
    : names
  return {
    named,
    whole,
    opened,
    inside,
    odd: names.map(whyOddPath).find((why) => why !== undefined),
    protected: judged.map(whyProtected).find((why) => why !== undefined),
  }
}

/**
 * A path of the session's folder without what comes before it where that is a place which Hotline has made for the session: that
 * lies in Hotline's own folder, and is no part of what others run or may do. Elsewhere the whole path counts.
 */
function beyondOwnPlace(path = '', folder = ''): string {
  const [place = ''] = ownPlace.exec(folder) ?? []
  return path.slice(place.length)
}

/** A scratch folder, a worktree or a copy. */
const ownPlace = /^.*?\/\.hotline\/(?:scratch\/[^/]+|worktrees\/[^/]+\/[^/]+)(?=\/|$)/
