import type { Access } from '../access/open-access.ts'
import type { HeadKeyDesk } from '../audit/head-key-desk.ts'
import type { BlobStore } from '../blob/blob-store.ts'
import type { Config } from '../config/read-config.ts'
import type { Lists } from '../log/lists.ts'
import type { LogStore } from '../log/log-store.ts'
import type { ReceptionPorts } from '../gate/reception.ts'
import type { Ids } from '../machine/ids.ts'
import type { Metrics } from '../machine/metrics.ts'
import type { Eraser } from '../scheduler/eraser.ts'
import type { Runners } from '../scheduler/runners.ts'
import type { SessionQueue } from '../scheduler/session-queue.ts'
import type { Search } from '../search/open-search.ts'
import type { EvidenceDesk } from '../gate/evidence-desk.ts'
import type { FolderDesk } from '../gate/folder-desk.ts'
import type { Attachments } from '../session/attachments.ts'
import type { Exchange } from '../session/exchange.ts'
import type { AgentLines } from './agent-line/agent-lines.ts'
import { registerAttachmentRoutes } from './routes/attachments.ts'
import { registerAuditRoutes } from './routes/audit.ts'
import { registerUnreadRoutes } from './routes/unread.ts'
import { registerAskRoutes } from './routes/asks.ts'
import { registerEvidenceRoutes } from './routes/evidence.ts'
import { registerFolderRoutes } from './routes/folder.ts'
import { registerLineRoutes } from './routes/lines.ts'
import { type ChannelRows, registerChannelRoutes } from './routes/channels.ts'
import { registerConnectionRoutes } from './routes/connections.ts'
import { registerContentRoutes } from './routes/content.ts'
import { registerFollowRoutes } from './routes/follow.ts'
import { registerInteractionRoutes } from './routes/interactions.ts'
import { registerDocumentRoutes } from './routes/documents.ts'
import type { DeclaredRoute, RegisterRoute } from './route.ts'
import { registerAccountRoutes } from './routes/accounts.ts'
import { registerAuthRoutes } from './routes/auth.ts'
import { registerDeviceRoutes } from './routes/device.ts'
import { registerHealthRoutes } from './routes/health.ts'
import { registerInvitationRoutes } from './routes/invitations.ts'
import { registerKeyRoutes } from './routes/keys.ts'
import { registerPasswordResetRoutes } from './routes/password-resets.ts'
import { registerSecondFactorRoutes } from './routes/second-factor.ts'
import { registerRunnerRoutes } from './routes/runner.ts'
import { registerPolicyRoutes } from './routes/policy.ts'
import { registerExportRoutes } from './routes/export.ts'
import { registerSearchRoutes } from './routes/search.ts'
import { registerSessionRoutes } from './routes/sessions.ts'
import { registerUsageRoutes } from './routes/usage.ts'
import { registerTaskApiRoutes } from './routes/task-api.ts'
import { registerTaskRoutes } from './routes/tasks.ts'
import { registerMemberRoutes } from './routes/members.ts'
import { registerTrustRoutes } from './routes/trust.ts'
import { type WebhookRoutePorts, registerWebhookRoutes } from './routes/webhooks.ts'

/** What the routes of the HTTP API read and write. */
export interface RoutePorts {
  config: Pick<Config, 'publicUrl'>
  access: Access
  ids: Ids
  exchange: Exchange
  store: LogStore
  lists: Lists
  blobs: BlobStore
  attachments: Attachments
  runners: Runners
  queue: SessionQueue
  eraser: Pick<Eraser, 'erased'>
  metrics: Metrics
  reception: ReceptionPorts
  lines: AgentLines
  channels: ChannelRows
  evidence: EvidenceDesk
  headKeys: HeadKeyDesk
  folders: FolderDesk
  search: Search
  webhooks: Pick<WebhookRoutePorts, 'hooks' | 'secretOf' | 'targets'>
}

/** Declares routes. `declared`: all that were, once they are. */
export type RegisterRoutes = (route: RegisterRoute, ports: RoutePorts, declared: () => readonly DeclaredRoute[]) => void

/** Every route of the HTTP API. There is no other place that adds one: the tests of permissions walk what is here. */
export function registerRoutes(
  route: RegisterRoute,
  ports: RoutePorts,
  declared: () => readonly DeclaredRoute[],
): void {
  const { access, lists, metrics } = ports
  registerAuthRoutes(route, access)
  registerDeviceRoutes(route, access.deviceSignIns)
  registerAccountRoutes(route, access, lists)
  registerInvitationRoutes(route, access.invitations)
  registerPasswordResetRoutes(route, access.passwordResets, ports.config.publicUrl)
  registerSecondFactorRoutes(route, access.secondFactors)
  registerKeyRoutes(route, access.keys)
  registerHealthRoutes(route, {
    metrics,
    notReady: async () => {
      await lists.fact('ready')
      return undefined
    },
  })
  registerSessionRoutes(route, { ...ports, feeds: ports.reception.gate.feeds, clock: ports.reception.gate.clock })
  registerAskRoutes(route, { ...ports, clock: ports.reception.gate.clock })
  registerUnreadRoutes(route, ports)
  registerTaskRoutes(route, ports)
  registerInteractionRoutes(route, ports)
  registerTaskApiRoutes(route, { ...ports, feeds: ports.reception.gate.feeds, clock: ports.reception.gate.clock })
  registerRunnerRoutes(route, ports)
  registerConnectionRoutes(route, ports.reception.connections)
  registerUsageRoutes(route, { lists, clock: ports.reception.gate.clock })
  registerContentRoutes(route, ports)
  registerAttachmentRoutes(route, ports)
  registerFollowRoutes(route, ports.reception)
  registerLineRoutes(route, ports)
  registerChannelRoutes(route, ports.channels)
  registerEvidenceRoutes(route, ports)
  registerFolderRoutes(route, ports)
  registerTrustRoutes(route, ports)
  registerMemberRoutes(route, { exchange: ports.exchange, lists })
  registerWebhookRoutes(route, { ...ports, ...ports.webhooks })
  registerAuditRoutes(route, ports)
  registerExportRoutes(route, ports)
  registerSearchRoutes(route, ports)
  registerPolicyRoutes(route, { ...ports, clock: ports.reception.gate.clock })
  registerDocumentRoutes(route, declared)
}
