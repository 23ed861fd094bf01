/** Places in the way of an event where a test may let the process die, an error be thrown or the disk be full. */
export const failpointNames = [
  /** The group is checked and numbered; nothing has gone to the database. */
  'before_write',
  /** Everything is written, and the transaction is still open. */
  'after_write_before_sync',
  /** The commit is durable; nobody has been told. */
  'after_commit_before_publish',
  /** Followers were woken; the sender has no answer yet. */
  'after_publish_before_ack',
  /** SQLite's commit is durable; the store itself does not know it yet. */
  'after_sync',
  /** A checkpoint of the database is about to begin. */
  'before_checkpoint',
  /** What was written before the checkpoint is in the database; what came meanwhile is about to be moved too. */
  'between_checkpoint_passes',
  /** Everything was moved, and commits are about to go on. */
  'after_checkpoint',
  /** One step of a migration is written and not committed. */
  'during_migration',
] as const

/** A place at which a test may let the server fail. */
export type FailpointName = (typeof failpointNames)[number]

const failpointActions = ['kill', 'throw', 'disk_full', 'io_error'] as const
type FailpointAction = (typeof failpointActions)[number]

/** Called at each of those places; does nothing in real life. */
export interface Failpoints {
  /** Throws, or never returns, when this place is to fail now. */
  hit(name: FailpointName): void
}

/** Outside of tests: nothing fails on purpose. */
export const noFailpoints: Failpoints = { hit: () => undefined }

/** What a full disk looks like to both stores: SQLite's and PostgreSQL's own code for it. */
export class DiskFull extends Error {
  readonly errcode = 13
  readonly code = '53100'
  constructor() {
    super('failpoint: no space left on the disk')
  }
}

/** A device that fails, in SQLite's code for it: what reached the disk is unknown. */
export class DeviceFailed extends Error {
  readonly errcode = 10
  constructor() {
    super('failpoint: disk I/O error')
  }
}

/**
 * Reads `name:action[:count]`; it acts once, at the `count`-th time that the place is passed (1 when absent).
 * `kill` ends this process with SIGKILL. Throws a RangeError for anything else.
 */
export function parseFailpoint(text: string): Failpoints {
  const [nameText, actionText, countText = '1', ...rest] = text.split(':')
  const name = failpointNames.find((known) => known === nameText)
  const action = failpointActions.find((known) => known === actionText)
  const count = /^[1-9][0-9]{0,8}$/.test(countText) ? Number(countText) : undefined
  if (name === undefined || action === undefined || count === undefined || rest.length > 0) {
    throw new RangeError(
      `not a failpoint: "${text}"; must be <name>:<action>[:<count>] with a name of ${failpointNames.join(', ')} and an action of ${failpointActions.join(', ')}`,
    )
  }
  let passed = 0
  return {
    hit(passing) {
      if (passing !== name) return
      passed += 1
      if (passed === count) act(name, action)
    },
  }
}

function act(name: FailpointName, action: FailpointAction): void {
  switch (action) {
    case 'kill':
      process.kill(process.pid, 'SIGKILL')
      return
    case 'throw':
      throw new Error(`failpoint ${name}`)
    case 'disk_full':
      throw new DiskFull()
    case 'io_error':
      throw new DeviceFailed()
  }
}
