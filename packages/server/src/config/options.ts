import { limits } from '@hotline/protocol/limits'

/**
 * One setting: what it is called in the environment, what it may hold, what it is when absent, and what it is for. The
 * reader, its refusals and `--help` all come from these records.
 */
export type Option =
  | { env: string; type: 'text' | 'path' | 'url'; default: string | undefined; help: string }
  | { env: string; type: 'switch'; default: boolean; help: string }
  | { env: string; type: 'whole'; default: number; min: number; max: number; unit: string; help: string }
  | { env: string; type: 'list'; default: readonly string[]; of: string; help: string }

const day = 24 * 60 * 60

/** All settings of a server. */
export const options = {
  dataDir: {
    env: 'HOTLINE_DATA_DIR',
    type: 'path',
    default: '~/.hotline',
    help: 'Directory that holds everything: the log, keys, secrets. Only its owner may write it.',
  },
  port: {
    env: 'HOTLINE_PORT',
    type: 'whole',
    default: 4680,
    min: 0,
    max: 65_535,
    unit: 'port number',
    help: 'Port to listen on. Where it is taken, the next free one is used, and said. 0 takes any free port.',
  },
  listen: {
    env: 'HOTLINE_LISTEN',
    type: 'list',
    default: ['127.0.0.1', '::1'],
    of: 'IP addresses',
    help: 'Addresses to listen on. Anything but loopback needs TLS or a proxy in front, and HOTLINE_PUBLIC_URL.',
  },
  publicUrl: {
    env: 'HOTLINE_PUBLIC_URL',
    type: 'url',
    default: undefined,
    help: 'Where people reach this server, for example https://hotline.example.org. Host and Origin are compared with it.',
  },
  corsOrigins: {
    env: 'HOTLINE_CORS_ORIGINS',
    type: 'list',
    default: [],
    of: 'origins (https://board.example.org)',
    help: 'Pages from elsewhere that may use the API with a token of their own; never with the cookie of a person. No patterns.',
  },
  tlsCert: {
    env: 'HOTLINE_TLS_CERT',
    type: 'path',
    default: undefined,
    help: 'Certificate chain (PEM). Together with HOTLINE_TLS_KEY the server speaks https.',
  },
  tlsKey: { env: 'HOTLINE_TLS_KEY', type: 'path', default: undefined, help: 'Private key (PEM) of the certificate.' },
  behindProxy: {
    env: 'HOTLINE_BEHIND_PROXY',
    type: 'switch',
    default: false,
    help: 'A proxy in front speaks https to people. Needs HOTLINE_TRUSTED_PROXIES and HOTLINE_PUBLIC_URL.',
  },
  trustedProxies: {
    env: 'HOTLINE_TRUSTED_PROXIES',
    type: 'list',
    default: [],
    of: 'IP addresses or networks (10.0.0.0/8)',
    help: 'Proxies whose X-Forwarded-For and X-Forwarded-Proto are believed. Nobody else is.',
  },
  databaseUrl: {
    env: 'HOTLINE_DATABASE_URL',
    type: 'text',
    default: undefined,
    help: 'postgres://… for a server with PostgreSQL. Absent: SQLite in the data directory.',
  },
  auditHeadsFile: {
    env: 'HOTLINE_AUDIT_HEADS_FILE',
    type: 'path',
    default: undefined,
    help: 'File to which signed heads of the log are appended, best where this machine cannot change it afterwards.',
  },
  auditHeadsWebhook: {
    env: 'HOTLINE_AUDIT_HEADS_WEBHOOK',
    type: 'text',
    default: undefined,
    help: 'Address to which signed heads of the log are posted: https, or http on this machine.',
  },
  auditHeadsSecrets: {
    env: 'HOTLINE_AUDIT_HEADS_SECRET',
    type: 'text',
    default: undefined,
    help: 'What those posts are signed with, as Standard Webhooks says: whsec_ and base64; two while one takes the place of the other. Absent: each head is signed by itself alone.',
  },
  auditHeadsEvents: {
    env: 'HOTLINE_AUDIT_HEADS_EVENTS',
    type: 'whole',
    default: 500,
    min: 1,
    max: 1_000_000,
    unit: 'events of a stream',
    help: 'After so many of them the head of a stream is signed.',
  },
  auditHeadsMinutes: {
    env: 'HOTLINE_AUDIT_HEADS_MINUTES',
    type: 'whole',
    default: 5,
    min: 1,
    max: 24 * 60,
    unit: 'minutes',
    help: 'So often the heads of all streams that have moved are signed.',
  },
  webhookTargets: {
    env: 'HOTLINE_WEBHOOK_TARGETS',
    type: 'list',
    default: [],
    of: 'hosts with ports (127.0.0.1:8080)',
    help: 'Where webhooks of projects may lead beside the internet: into this network, over plain http, to other ports.',
  },
  keepOutputDays: {
    env: 'HOTLINE_KEEP_OUTPUT_DAYS',
    type: 'whole',
    default: 0,
    min: 0,
    max: 36_500,
    unit: 'days',
    help: 'What programs and tools printed is erased when its session has been over for so long. 0 keeps it for ever.',
  },
  debug: {
    env: 'HOTLINE_DEBUG',
    type: 'list',
    default: [],
    of: 'areas of the program',
    help: 'Areas whose details are logged, for example http,access.',
  },
  compressBatches: {
    env: 'HOTLINE_COMPRESS_BATCHES',
    type: 'switch',
    default: false,
    help: 'Large batches of events go compressed over WebSockets that take it: less to send, more work and memory.',
  },
  failpoint: {
    env: 'HOTLINE_FAILPOINT',
    type: 'text',
    default: undefined,
    help: 'For tests: <place>:<action>[:<count>] lets the server fail at that place.',
  },
  bodyBytes: {
    env: 'HOTLINE_LIMIT_BODY_BYTES',
    type: 'whole',
    default: 1024 * 1024,
    min: 1024,
    max: 16 * 1024 * 1024,
    unit: 'bytes',
    help: 'Largest body of one HTTP request.',
  },
  openApprovals: {
    env: 'HOTLINE_LIMIT_OPEN_APPROVALS',
    type: 'whole',
    default: limits.openApprovals,
    min: 1,
    max: 100,
    unit: 'approvals of one session',
    help: 'Approvals of one session that people are asked at once. Further ones wait for their turn.',
  },
  waitingApprovals: {
    env: 'HOTLINE_LIMIT_WAITING_APPROVALS',
    type: 'whole',
    default: limits.waitingApprovals,
    min: 0,
    max: 5_000,
    unit: 'approvals of one session',
    help: 'Approvals of one session that may wait for their turn. Further ones are refused at once.',
  },
  socketsPerAddress: {
    env: 'HOTLINE_LIMIT_SOCKETS_PER_ADDRESS',
    type: 'whole',
    default: 200,
    min: 1,
    max: 100_000,
    unit: 'connections',
    help: 'Connections that one address may have open. Trusted proxies are not counted.',
  },
  socketsPerAccount: {
    env: 'HOTLINE_LIMIT_SOCKETS_PER_ACCOUNT',
    type: 'whole',
    default: 20,
    min: 1,
    max: 100_000,
    unit: 'connections',
    help: 'WebSocket connections that one account may have open.',
  },
  requestsPerPrincipal: {
    env: 'HOTLINE_LIMIT_REQUESTS_PER_PRINCIPAL',
    type: 'whole',
    default: 2_000,
    min: 1,
    max: 10_000_000,
    unit: 'requests in 10 seconds',
    help: 'Requests of one account, key or runner.',
  },
  requestsPerNetwork: {
    env: 'HOTLINE_LIMIT_REQUESTS_PER_NETWORK',
    type: 'whole',
    default: 4_000,
    min: 1,
    max: 10_000_000,
    unit: 'requests in 10 seconds',
    help: 'Requests from one address (IPv6: from one /64).',
  },
  signInTriesPerAccount: {
    env: 'HOTLINE_LIMIT_SIGN_INS_PER_ACCOUNT',
    type: 'whole',
    default: 10,
    min: 3,
    max: 1_000_000,
    unit: 'wrong passwords in a row',
    help: 'After half of them each further try has to wait; after all of them the name is locked for a while for that network, and after four times as many for all strangers. Browsers that its person has used, and networks where they were signed in lately, are counted by themselves.',
  },
  signInTriesPerNetwork: {
    env: 'HOTLINE_LIMIT_SIGN_INS_PER_NETWORK',
    type: 'whole',
    default: 30,
    min: 3,
    max: 1_000_000,
    unit: 'tries while the lock lasts',
    help: 'Tries to sign in from one address (IPv6: from one /64), whatever the account.',
  },
  signInLockSeconds: {
    env: 'HOTLINE_LIMIT_SIGN_IN_LOCK_SECONDS',
    type: 'whole',
    default: 15 * 60,
    min: 1,
    max: day,
    unit: 'seconds',
    help: 'How long a locked account stays locked.',
  },
} as const satisfies Record<string, Option>

/** The name of a setting in the sources. */
export type OptionName = keyof typeof options

/** The settings as people read them: name, what it may hold, default, meaning. */
export function describeOptions(): string {
  const lines = Object.values<Option>(options).map((option) => {
    const unset = option.type === 'list' ? option.default.join(',') : String(option.default ?? '')
    const shown = unset === '' ? '' : ` (default: ${unset})`
    return `  ${option.env}\n      ${option.help} ${expectedOf(option)}${shown}`
  })
  return `Settings of a server, from the environment:\n${lines.join('\n')}\n`
}

/** What a setting may hold, as a sentence. */
export function expectedOf(option: Option): string {
  switch (option.type) {
    case 'text':
      return 'Text.'
    case 'path':
      return 'A path.'
    case 'url':
      return 'A URL without a path.'
    case 'switch':
      return '"true" or "false".'
    case 'whole':
      return `A whole number from ${option.min} to ${option.max} (${option.unit}).`
    case 'list':
      return `${option.of.charAt(0).toUpperCase()}${option.of.slice(1)}, separated by commas.`
  }
}
