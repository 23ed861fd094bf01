import type { Report } from '@hotline/protocol/commands/agent'
import type { Log } from '../log.ts'
import type { AgentProfile, ReviewTime } from '../profiles/profile.ts'
import { Redactor } from '../redact.ts'
import type { Neighbours } from '../workspace/neighbours.ts'
import type { WorkspaceRecords } from '../workspace/record.ts'
import type { Workspaces } from '../workspace/workspaces.ts'
import { fit } from './fit-report.ts'
import { secretsOf } from './launch.ts'
import { sendable } from './sendable.ts'
import type { DraftCommits } from './session-drafts.ts'
import { SessionFiles } from './session-files.ts'
import type { SessionLog } from './session-log.ts'

/** Where snapshots of files are kept, and what is known of each session's. */
export interface KeptFiles {
  workspaces: Workspaces
  records: WorkspaceRecords
  neighbours: Neighbours
}

/** The files of a session whose agent works in `folder`. What is told of them is masked and fits into events. */
export function openFiles(
  { workspaces, records, neighbours }: KeptFiles,
  of: {
    session: string
    folder: string
    redactor: Redactor
    works: 'turns' | 'always'
    reviews: ReviewTime
    read: SessionLog
    put: (report: Report) => void
    log: Log
    commits: DraftCommits | undefined
  },
): SessionFiles {
  const { session, folder, redactor, works, reviews, read, put, log, commits } = of
  return new SessionFiles({
    session,
    workspace: workspaces.open(session, folder),
    records,
    neighbours,
    state: () => read.state,
    review: () => read.wanted.review ?? { keep: [], discard: [], guarded: [] },
    chosen: () => read.wanted.chosen ?? { also: [], except: [] },
    put: (report) => put(fit(sendable(redactor.value(report)) as Report)),
    log,
    works,
    reviews,
    commits,
  })
}

/** Of what an agent of this profile would be handed today. */
export function redactorOf(
  profile: AgentProfile | undefined,
  environment: Readonly<Record<string, string | undefined>>,
): Redactor {
  return new Redactor(profile ? secretsOf(profile, environment) : [])
}
