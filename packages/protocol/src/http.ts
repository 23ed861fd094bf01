import { z } from 'zod'
import { Role } from './actor.ts'
import { MachineLabel } from './machine-label.ts'
import { Capabilities } from './capabilities.ts'
import { Envelope } from './event.ts'
import { KeyKind } from './events/server.ts'
import { Without } from './frame.ts'
import { ServerFrame } from './server-frame.ts'
import { limits } from './limits.ts'
import { PolicyModeName } from './policy-mode-schema.ts'
import { OwnRules } from './own-rules.ts'
import { FileFence } from './process-tree.ts'
import { SecondFactorCode } from './second-factor.ts'
import { CursorText, Id, StreamId } from './ids.ts'

/**
 * Bodies and answers of the HTTP API (`/api/...`). Requests are strict. Answers may grow: a reader passes over members
 * that it does not know.
 */

/** What an account may be called. */
export const AccountName = z
  .string()
  .min(1)
  .max(64)
  .regex(/^[A-Za-z0-9_][A-Za-z0-9_.@-]*$/, 'may hold letters, digits and _ . @ -')
/** What a password must be at least; how easy it is to guess is looked at as well. */
export const Password = z.string().min(12, 'must have at least 12 characters').max(256)

/** `POST /api/auth/bootstrap`: the first account of a fresh server. */
export const BootstrapBody = z.strictObject({ code: z.string().max(100), name: AccountName, password: Password })
/** `POST /api/auth/sign-in` */
export const SignInBody = z.strictObject({
  name: z.string().min(1).max(64),
  password: z.string().min(1).max(256),
  /** Where the account has a second factor: `code_needed` asks for it. */
  code: SecondFactorCode.optional(),
})
/** `POST /api/accounts` (admins): another person. */
export const CreateAccountBody = z.strictObject({
  name: AccountName,
  password: Password,
  admin: z.boolean().default(false),
})
/** `POST /api/accounts/:account/disable` (admins). `accept`: projects that it alone owns have no owner for the time being. */
export const DisableAccountBody = z.strictObject({ orphans: z.enum(['refuse', 'accept']).default('refuse') })
/** `POST /api/auth/confirm`: says the password again, for what asks for that within five minutes. */
export const ConfirmBody = z.strictObject({ password: z.string().min(1).max(256) })
/** `POST /api/auth/sign-out-everywhere`. `revoke`: personal tokens, API keys and invitations of the account end as well. */
export const SignOutEverywhereBody = z.strictObject({ keys: z.enum(['keep', 'revoke']).default('keep') })
/** `POST /api/auth/password` */
export const ChangePasswordBody = z.strictObject({ current: z.string().max(256), next: Password })

/** `POST /api/keys`: a personal token (`pat`), an API key of a service (`svc`) or the key of a runner (`run`). */
export const CreateKeyBody = z.strictObject({
  kind: z.enum(['pat', 'svc', 'run']),
  name: z.string().min(1).max(100),
  /** Days until it expires. */
  days: z.int().min(1).max(365).default(90),
  /** Absent: all that the owner may do. */
  scopes: z
    .array(z.enum(['read', 'write', 'decide', 'decide_high', 'admin']))
    .min(1)
    .optional(),
  /** Absent: all projects of the owner. */
  projects: z.array(Id).max(100).optional(),
})

/** A key as its owner sees it; never the secret. */
export const KeyRow = z.object({
  key: z.string(),
  kind: KeyKind,
  name: z.string(),
  scopes: z.array(z.string()),
  /** Null: all projects of the owner. */
  projects: z.array(z.string()).nullable(),
  createdAt: z.string(),
  expiresAt: z.string(),
  lastUsedAt: z.string().nullable(),
  lastUsedFrom: z.string().nullable(),
  /** The one that asks. */
  current: z.boolean(),
})
export type KeyRow = z.infer<typeof KeyRow>
/** `GET /api/keys` */
export const KeyPage = z.object({ keys: z.array(KeyRow) })
/** `POST /api/keys`: the secret is shown once, here. */
export const CreatedKey = KeyRow.extend({ token: z.string() })

/** `GET /api/auth/state`: what the page must ask for first. */
export const AuthState = z.object({ bootstrap: z.enum(['open', 'expired', 'closed']), signedIn: z.boolean() })
/** Who is signed in now. */
export const SignedInAnswer = z.object({ account: z.string() })

/** `GET /api/accounts` (admins) */
export const AccountRow = z.object({
  account: z.string(),
  name: z.string(),
  admin: z.boolean(),
  disabled: z.boolean(),
  createdAt: z.string(),
})
export type AccountRow = z.infer<typeof AccountRow>

/** `GET /api/accounts` */
export const AccountPage = z.object({ accounts: z.array(AccountRow) })

/** `GET /api/me` */
export const Me = z.object({
  kind: z.enum(['person', 'service', 'runner', 'system']),
  id: z.string(),
  name: z.string(),
  admin: z.boolean(),
  scopes: z.array(z.string()).readonly(),
  projects: z.array(z.object({ project: z.string(), name: z.string(), role: Role })).readonly(),
})
export type Me = z.infer<typeof Me>

/** One-use, 30 seconds, bound to the account and the origin that asked: `POST /api/auth/ticket`. */
export const Ticket = z.object({ ticket: z.string(), expiresAt: z.string() })

/** `POST /api/auth/token`: for an API key, a signed token of the same rights that lives ten minutes. */
export const ServiceToken = z.object({ token: z.string(), expiresAt: z.string() })

/** `GET /.well-known/jwks.json`: the public keys that service tokens are signed with (RFC 7517, RFC 8037), the newest last. */
export const SigningKeySet = z.object({
  keys: z.array(
    z.object({
      kty: z.literal('OKP'),
      crv: z.literal('Ed25519'),
      use: z.literal('sig'),
      alg: z.literal('EdDSA'),
      kid: z.string(),
      /** The public key, in base64url. */
      x: z.string(),
    }),
  ),
})
export type SigningKeySet = z.infer<typeof SigningKeySet>

/** A session in a list: `GET /api/sessions`. The same facts as `session.indexed`. */
export const SessionRow = z.object({
  session: z.string(),
  project: z.string(),
  task: z.string().nullable(),
  agent: z.string(),
  runner: z.string().nullable(),
  title: z.string(),
  status: z.string(),
  turn: z.string(),
  openApprovals: z.array(z.string()),
  openQuestions: z.array(z.string()),
  /** Approvals that wait behind the open ones. */
  waitingApprovals: z.int(),
  /** Approvals that a person has answered, and whose agent does not have the answer yet. */
  answersUnderWay: z.int(),
  /** When the oldest open approval was asked for. */
  oldestApprovalAt: z.string().nullable(),
  staleSince: z.string().nullable(),
  since: z.string(),
  /** Why it is in this status; null for one that was not begun. */
  reason: z.string().nullable(),
  /** How its process ended, where it did. */
  exit: z.object({ code: z.int().nullable(), signal: z.string().nullable() }).nullable(),
  /** What it is on its way to be: a person has ended it, and its agent is not yet gone. */
  ending: z.string().nullable(),
  /** What is not asked in it, until when; null where everything is. */
  policyMode: z.object({ mode: PolicyModeName, until: z.string().optional() }).nullable(),
  createdAt: z.string(),
  updatedAt: z.string(),
})
export type SessionRow = z.infer<typeof SessionRow>

/** `GET /api/sessions` */
export const SessionPage = z.object({
  sessions: z.array(SessionRow),
  /** `before` of the next page; null at the end. */
  next: z.string().nullable(),
  /** For each project a cursor from which following keeps the rows true. */
  cursors: z.record(z.string(), z.string()),
})

/** An event, word for word as the log has it. */
export const StoredEnvelope: z.ZodType<Envelope> = Envelope
/** What the events of a stream fold to; its members are those of `core`. */
const FoldedState: z.ZodType<object> = z.looseObject({})

/** `GET /api/sessions/:id`: the state at a cursor; following after that cursor keeps it true. */
export const SessionSnapshot = z.object({ stream: z.string(), cursor: z.string(), state: FoldedState })

/** `GET /api/sessions/:id/events?after=…`: a page, oldest first. */
export const EventPage = z.object({
  stream: z.string(),
  epoch: z.string(),
  head: z.int(),
  events: z.array(StoredEnvelope),
  /** Cursor of the last event here; the next page comes after it. */
  next: z.string(),
})

/**
 * `GET /api/sessions/:id/transcript?before=…&limit=…`: a window of a long session; windows come newest first, the events
 * inside oldest first. `later` holds the events after the window about subjects that appear in it, so that an old window
 * never shows an approval as open that was decided since.
 */
export const TranscriptWindow = z.object({
  stream: z.string(),
  epoch: z.string(),
  head: z.int(),
  from: z.int(),
  to: z.int(),
  events: z.array(StoredEnvelope),
  later: z.array(StoredEnvelope),
  /** `before` of the next older window; null at the beginning. */
  before: z.int().nullable(),
})
export type TranscriptWindow = z.infer<typeof TranscriptWindow>

/** `GET /api/people`: names for ids, of everybody who shares a project with the asker. */
export const PeoplePage = z.object({
  people: z.array(z.object({ id: z.string(), name: z.string(), kind: z.enum(['person', 'service']) })).readonly(),
})
export type PeoplePage = z.infer<typeof PeoplePage>

/** `GET /api/projects/:id/members`: who may do what in a project, by name. */
export const MemberPage = z.object({
  members: z.array(z.object({ account: z.string(), name: z.string(), role: Role })).readonly(),
})
export type MemberPage = z.infer<typeof MemberPage>

/** An open connection, as `GET /api/connections` tells of it. */
export const ConnectionRow = z.object({
  connection: z.string(),
  kind: z.enum(['person', 'service', 'runner', 'system']),
  /** Of the account, the service or the machine. */
  id: z.string(),
  name: z.string(),
  /** Of the credential. */
  key: z.string(),
  /** Through what it speaks, see `Channel`. */
  channel: z.string(),
  /** As far as it can be believed; null where it speaks from nowhere. */
  address: z.string().nullable(),
  since: z.string(),
  /** Milliseconds since anything came from its other side. */
  silentMs: z.int(),
  /** How many streams it follows. */
  streams: z.int(),
})
export type ConnectionRow = z.infer<typeof ConnectionRow>

/** `GET /api/connections`: those of the asker, or for admins all of this server, the newest first. */
export const ConnectionPage = z.object({
  connections: z.array(ConnectionRow).readonly(),
  /** All that there are, where these are not. */
  count: z.int(),
})
export type ConnectionPage = z.infer<typeof ConnectionPage>

/**
 * How things stand with an agent on a machine. `signed_out`: nothing was found that shows a sign-in, and it can be started
 * all the same; `off`: its profile turns it off; `broken`: its profile cannot be read.
 */
export const AgentReadiness = z.enum(['ready', 'signed_out', 'not_installed', 'off', 'broken'])

/** `GET /api/agents`: what can be started, as the runners announce it. */
export const AgentRow = z.object({
  agent: z.string(),
  name: z.string(),
  description: z.string(),
  /** The machine, as people call it. Two may have the same name. */
  runner: z.string(),
  /** What `session.start` takes as `runner`. */
  runnerId: z.string(),
  available: z.boolean(),
  /** Why it is not available, or not ready, and what to do. */
  hint: z.string().optional(),
  state: AgentReadiness.optional(),
  /** As its program says it. */
  version: z.string().optional(),
  /** False: a program that asks nobody before it acts. To start it takes the right to decide, and `unasked`. */
  asks: z.boolean().optional(),
  /** True: it can be started without a folder, and works in one of its own. */
  ownFolder: z.boolean().optional(),
  /** What it is kept from where nobody says `unfenced`; absent for what starts nothing. */
  fence: FileFence.optional(),
  /** What its own settings on that machine say about what it asks; absent where they say nothing. */
  ownRules: OwnRules.optional(),
  /** What is known of it before it is started. */
  can: Capabilities.partial().optional(),
  /** So many of its sessions are at work there at once; absent for as many as the machine takes. */
  sessionsMax: z.int().optional(),
  /** Those of its machine; absent where it has none. */
  labels: z.array(z.string()).readonly().optional(),
})
export type AgentRow = z.infer<typeof AgentRow>

/** `PUT /api/runner`: a runner announces itself after it connected. */
export const AnnounceBody = z.strictObject({
  name: z.string().min(1).max(100),
  version: z.string().max(50),
  platform: z.string().max(50),
  agents: z
    .array(
      z.strictObject({
        agent: Id,
        name: z.string().max(100),
        description: z.string().max(500),
        available: z.boolean(),
        hint: z.string().max(500).optional(),
        state: AgentReadiness.optional(),
        version: z.string().max(100).optional(),
        asks: z.boolean().optional(),
        ownFolder: z.boolean().optional(),
        fence: FileFence.optional(),
        ownRules: OwnRules.optional(),
        can: Capabilities.partial().optional(),
        /** So many of its sessions are at work there at once; absent for as many as the machine takes. */
        sessionsMax: z.int().min(1).optional(),
      }),
    )
    .max(100),
  /** So many sessions are at work on this machine at once; absent for an older runner. */
  sessionsMax: z.int().min(1).optional(),
  /** What it is, or has: sessions may ask for that. */
  labels: z.array(MachineLabel).max(20).optional(),
  /** Sessions that this runner holds now, with their fences. */
  holds: z.array(z.strictObject({ session: Id, fence: z.int().min(1) })).max(limits.sessionsPerRunner),
})
export type AnnounceBody = z.infer<typeof AnnounceBody>

/** `PUT` and `GET /api/sessions/:id/content/:digest`: text that is too long for its event, under its SHA-256. */
export const Content = z.strictObject({ text: z.string() })
export type Content = z.infer<typeof Content>

/** `GET /api/agents` */
export const AgentPage = z.object({ agents: z.array(AgentRow).readonly() })

/** Answer to `PUT /api/runner`: the name under which the server knows it. */
export const AnnounceAnswer = z.object({ runner: z.string() })

/** `GET /healthz`, `GET /readyz` */
export const HealthAnswer = z.object({ status: z.enum(['ok', 'ready']) })

/** `GET /api/runner/work`: sessions that wait for this runner to take them. */
export const WorkPage = z.object({
  work: z.array(z.object({ session: z.string(), status: z.string(), runner: z.string().nullable() })),
})

/** `POST /api/follow`: several streams without a socket. */
export const FollowBody = z.strictObject({
  follows: z
    .array(z.strictObject({ stream: StreamId, after: CursorText, without: Without.optional() }))
    .max(limits.followsPerSocket),
  /**
   * Seconds to wait for news: they come in one answer (`FollowAnswer`), with 0 what is there now. Absent: an answer without
   * end, as server-sent events.
   */
  wait: z.int().min(0).max(limits.waitSeconds).optional(),
  /** As in hello. */
  instance: z.string().max(100).optional(),
})
/** Frames as on the WebSocket, a welcome first. */
export const FollowAnswer = z.object({ frames: z.array(ServerFrame) })
