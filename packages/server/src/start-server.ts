import { join } from 'node:path'
import { parseCommand } from '@hotline/protocol/command'
import { AccessLog } from './access/access-log.ts'
import { isAccount } from './access/is-account.ts'
import { openAccess } from './access/open-access.ts'
import { Owners } from './access/owners.ts'
import { Proofs } from './access/proofs.ts'
import type { Principal } from './access/principal.ts'
import { HeadKeys } from './audit/head-key.ts'
import { HeadKeyDesk } from './audit/head-key-desk.ts'
import { HeadKeeper } from './audit/head-keeper.ts'
import { intoFile, toWebhook } from './audit/head-places.ts'
import { openFileBlobStore } from './blob/file-blob-store.ts'
import { openChannels } from './channels/open-channels.ts'
import { HookKeys } from './channels/hooks/hook-keys.ts'
import { Hooks } from './channels/hooks/hooks.ts'
import { outboxOver } from './channels/outbox.ts'
import { readChannels } from './channels/read-channels.ts'
import { prepareDataDirectory } from './config/data-dir.ts'
import type { Config } from './config/read-config.ts'
import { Feeds } from './feed/feeds.ts'
import { Connections } from './gate/connections.ts'
import { Doings } from './gate/doings.ts'
import { EvidenceDesk } from './gate/evidence-desk.ts'
import { FolderDesk } from './gate/folder-desk.ts'
import { openReception } from './gate/open-reception.ts'
import { Watchers } from './gate/watchers.ts'
import { composeHttp } from './http/compose.ts'
import { openInteractDesk } from './http/interact/interact-desk.ts'
import { openUpdateDesk } from './http/task-updates/update-desk.ts'
import { openAgentLines } from './http/agent-line/open-agent-lines.ts'
import { openPermissionDesk } from './http/permissions/permission-desk.ts'
import { openWebSocketDoor } from './http/ws.ts'
import { noFailpoints, parseFailpoint } from './log/failpoints.ts'
import { openMemoryBus } from './log/memory-bus.ts'
import { type Database, type DatabaseMeans, type DatabasePlace, openDatabase } from './log/open-database.ts'
import { checkpointBytes } from './log/sqlite/checkpointer.ts'
import { type Clock, systemClock, timestamp } from './machine/clock.ts'
import { systemIds } from './machine/ids.ts'
import { openLogger } from './machine/logger.ts'
import { openMetrics } from './machine/metrics.ts'
import { newTraffic } from './machine/traffic.ts'
import { UndoList } from './machine/undo-list.ts'
import { measureProcess } from './ops/measure-process.ts'
import { measureServer, observeCommands, observeLog } from './ops/measure-server.ts'
import { Eraser } from './scheduler/eraser.ts'
import { type ApprovalTimer, startApprovalTimer } from './scheduler/approval-timer.ts'
import { keepOutputFor } from './scheduler/retention.ts'
import { startModeTimer } from './scheduler/mode-timer.ts'
import { watchRules } from './scheduler/rule-watch.ts'
import { AwakeWatch } from './scheduler/awake-watch.ts'
import { watchTasks } from './scheduler/task-watch.ts'
import { watchRunners } from './scheduler/runners.ts'
import { openSessionQueue, type SessionQueue } from './scheduler/session-queue.ts'
import { openSearch } from './search/open-search.ts'
import { Attachments } from './session/attachments.ts'
import { Exchange } from './session/exchange.ts'
import { joinOver } from './session/join-project.ts'

/** Where connections are told to come back after this server has gone. */
const comeBackMs = 1_000

/** How the log is opened. */
export type OpenDatabase = (place: DatabasePlace, means: DatabaseMeans) => Promise<Database>

/** A server that listens. */
export interface RunningServer extends AsyncDisposable {
  /** What people are told: with `localhost`, or the public URL. */
  url: string
  /** With `localhost`, for programs of this machine. */
  local: string
  /** Where it listens. */
  port: number
  /** The link that makes the first account, where there is none. */
  bootstrap: string | undefined
  /** What an operator should know. */
  notices: readonly string[]
}

/**
 * The one place where the server is put together. Disposing says goodbye to everybody, ends what is under way and closes
 * the log; agents and runners are not touched. `clock`: whose time all of it goes by; the machine's own when absent.
 */
export async function startServer(
  config: Config,
  pageDir: string,
  openDatabaseAt: OpenDatabase = openDatabase,
  clock: Clock = systemClock,
): Promise<RunningServer> {
  const undo = new UndoList()
  try {
    return await open(config, pageDir, openDatabaseAt, clock, undo)
  } catch (error) {
    await undo[Symbol.asyncDispose]()
    throw error
  }
}

async function open(
  config: Config,
  pageDir: string,
  openDatabaseAt: OpenDatabase,
  clock: Clock,
  undo: UndoList,
): Promise<RunningServer> {
  const notices = [...prepareDataDirectory(config.dataDir)]
  const ids = systemIds(() => clock.wallMs())
  const logger = openLogger({ debugAreas: config.debugAreas })
  const metrics = openMetrics()
  const traffic = newTraffic()
  const failpoints = config.failpoint === undefined ? noFailpoints : parseFailpoint(config.failpoint)
  const fault = (error: unknown): void => logger.error('fault', { error })
  const now = (): string => timestamp(clock)

  const place =
    config.databaseUrl === undefined
      ? ({ kind: 'sqlite', dir: config.dataDir, logBytes: checkpointBytes } as const)
      : ({ kind: 'postgres', url: config.databaseUrl } as const)
  const database = undo.use(
    await openDatabaseAt(place, { clock, ids, failpoints, observer: observeLog(metrics, logger) }),
  )
  const { store, lists } = database
  const blobs = undo.use(await openFileBlobStore(join(config.dataDir, 'blobs')))
  const bus = undo.use(openMemoryBus())
  const headKeys = HeadKeys.open(config.dataDir)
  const { file, webhook, secrets, events, minutes } = config.auditHeads
  const places = [
    ...(file === undefined ? [] : [intoFile(file)]),
    ...(webhook === undefined ? [] : [toWebhook(webhook, secrets, clock)]),
  ]
  if (places.length > 0) {
    const every = { events, ms: minutes * 60_000 }
    undo.use(new HeadKeeper({ store, lists, bus, clock, keys: headKeys, places, every, fault }))
  }
  const proofs = new Proofs(clock)
  const owners = new Owners(lists)
  const { openApprovals, waitingApprovals } = config.limits
  const approvalLimits = { open: openApprovals, waiting: waitingApprovals }
  // Both need each other: the timer gives commands, and whoever answers is heard after it.
  const timers: { approvals?: ApprovalTimer; queue?: SessionQueue } = {}
  const caughtUp = async (): Promise<void> => timers.approvals?.caughtUp()
  const exchange = new Exchange(
    {
      store,
      lists,
      bus,
      failpoints,
      fault,
      now,
      approvalLimits,
      isAccount: (account) => isAccount(lists, account),
      caughtUp,
      turnToBegin: async (runner, session) =>
        timers.queue?.turnToBegin(runner, session) ?? { refusal: undefined, leave: () => undefined },
    },
    {
      roleOf: (project, account) => lists.roleOf(project, account),
      proofMissing: (principal) => proofs.missing(principal),
      owners,
    },
    observeCommands(metrics, clock),
  )
  const search = undo.use(await openSearch(place, { store, bus, clock, fault }))
  const feeds = undo.use(new Feeds(store, bus))
  const connections = new Connections()
  const watchers = undo.use(new Watchers(clock))
  const projectOf = (stream: string): Promise<string | undefined> => exchange.projectOf(stream)
  const doings = undo.use(new Doings({ bus, projectOf, clock, fault }))
  const evidence = undo.use(new EvidenceDesk({ exchange, connections, watchers, clock, fault }))
  const folders = undo.use(new FolderDesk({ connections, clock }))
  undo.use(measureProcess(metrics, { dataDir: config.dataDir, database: place.kind }))
  undo.use(measureServer({ metrics, connections, traffic, lists, bus, clock }))

  const access = undo.use(
    await openAccess({
      dataDir: config.dataDir,
      store,
      lists,
      bus,
      clock,
      ids,
      logger,
      metrics,
      limits: config.limits,
      proofs,
      owners,
      createFirstProject: (account) => createFirstProject(exchange, account, ids.uuid()),
      joinProject: joinOver(exchange),
    }),
  )
  await access.finishFirstAccount()
  undo.defer(
    access.feed.onAccessChanged(({ account, key }) => {
      for (const connection of connections.all()) {
        if (connection.principal.account === account || connection.principal.key === key) connection.recheck()
      }
    }),
  )

  const timerPorts = { exchange, lists, bus, clock, ids, fault }
  const awake = new AwakeWatch(join(config.dataDir, 'awake'), clock)
  timers.approvals = undo.use(startApprovalTimer({ ...timerPorts, awake }))
  undo.use(startModeTimer(timerPorts))
  undo.use(watchRules(timerPorts))
  undo.use(watchTasks(timerPorts))
  const files = undo.use(await openFileBlobStore(join(config.dataDir, 'attachments')))
  const attachments = undo.use(new Attachments({ blobs: files, store, lists, clock, fault }))
  const eraser = undo.use(new Eraser({ store, lists, blobs, attachments, feeds, clock, bus, fault }))
  const days = config.keepOutputDays
  if (days > 0) {
    const erased = (stream: string): Promise<boolean> => eraser.erased(stream)
    undo.use(keepOutputFor({ ...timerPorts, store, erased, days }))
  }
  const runners = undo.use(watchRunners({ ...timerPorts, connections, announced: () => timers.queue?.changed() }))
  const queue = undo.use(openSessionQueue({ ...timerPorts, connections, machines: () => runners.machines() }))
  timers.queue = queue

  const reception = openReception({
    exchange,
    feeds,
    access,
    connections,
    watchers,
    audiences: [doings, queue],
    lists,
    clock,
    ids,
    traffic,
    metrics,
    socketsPerAccount: config.limits.socketsPerAccount,
    fault,
  })
  const lines = openAgentLines({ exchange, lists, store, evidence })
  const permissions = undo.use(openPermissionDesk({ lists, store, bus }))
  const channels = undo.use(
    openChannels(readChannels(join(config.dataDir, 'channels.json')), {
      allProjects: async () => (await lists.projects()).map(({ project }) => project),
      desk: permissions,
      outbox: outboxOver({ store, lists }),
      bus,
      clock,
      random: Math.random,
      logger: logger.area('channels'),
    }),
  )
  const hookKeys = new HookKeys(access.sealing)
  const targets = config.webhookTargets
  const hooks = undo.use(new Hooks({ exchange, store, lists, bus, ids, clock, keys: hookKeys, targets, fault }))
  const routes = {
    access,
    ids,
    exchange,
    store,
    lists,
    blobs,
    attachments,
    runners,
    queue,
    eraser,
    metrics,
    reception,
    evidence,
    folders,
    lines: lines.open,
    headKeys: new HeadKeyDesk(headKeys, { log: new AccessLog({ store, bus, clock }), clock }),
    channels,
    search,
    webhooks: {
      hooks,
      secretOf: (...of: Parameters<HookKeys['secret']>) => hookKeys.secret(...of),
      targets,
    },
  }
  const http = undo.use(await composeHttp({ ...routes, config, logger, pageDir }))

  const door = undo.use(
    openWebSocketDoor(http.server, {
      ...reception,
      guard: (request) => http.doors.guardUpgrade(request),
      fromHeader: (request) => http.doors.fromHeader(request),
      fromHello: (hello, request) => http.doors.fromHello(hello, request),
      lines,
      permissions,
      updates: openUpdateDesk({ exchange, lists, store, queue }),
      interact: openInteractDesk({ exchange, lists, store }),
      compression: config.compressBatches ? 'large-batches' : 'off',
      clock,
    }),
  )
  const { origin, local, port, notes } = await http.listen()
  notices.push(...notes)
  logger.debug('listening', { origin })

  return {
    url: origin,
    local,
    port,
    bootstrap: access.bootstrap.link(origin),
    notices,
    [Symbol.asyncDispose]: async () => {
      http.drain()
      await door.drain(comeBackMs)
      await undo[Symbol.asyncDispose]()
    },
  }
}

/** Called again until it has worked, so finding the project there is fine. */
async function createFirstProject(exchange: Exchange, account: string, id: string): Promise<void> {
  const owner: Principal = {
    kind: 'person',
    id: account,
    name: '',
    account,
    key: 'bootstrap',
    admin: true,
    scopes: ['read', 'write', 'decide', 'decide_high', 'admin', 'own'],
    accessVersion: 0,
    channel: 'bootstrap',
  }
  const parsed = parseCommand({ id, stream: 'project:default', type: 'project.create', data: { name: 'My project' } })
  if ('issues' in parsed) throw new Error('the first project is not a valid command')
  const outcome = await exchange.command(owner, parsed.command)
  if (!outcome.ok && outcome.problem.code !== 'already_exists') throw new Error(outcome.problem.detail)
}
