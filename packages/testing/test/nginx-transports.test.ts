import type { Transport } from '@hotline/client/carrier'
import { openLink } from '@hotline/client/open-link'
import { setTimeout as pause } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { freePort } from '../src/free-port.ts'
import { type LiveServer, startLiveServer } from '../src/live-server.ts'
import { type Nginx, nginxPath, startNginx } from '../src/nginx.ts'
import { openOracleClient } from '../src/oracle-client.ts'
import { waitFor } from '../src/wait-for.ts'

/** How a careless nginx stands between, and over what a client has to get its way. */
const ways: { name: string; lines: string; over: readonly Transport[] }[] = [
  {
    name: 'knows nothing of upgrades, and holds answers back whatever they ask for',
    lines: 'proxy_buffering on; proxy_ignore_headers X-Accel-Buffering;',
    over: ['poll'],
  },
  {
    name: 'knows nothing of upgrades, and holds answers back unless they ask it not to',
    lines: 'proxy_buffering on;',
    over: ['stream'],
  },
  {
    name: 'carries upgrades, and cuts what is silent for a second',
    lines: `proxy_http_version 1.1; proxy_set_header Upgrade $http_upgrade; proxy_set_header Connection "upgrade";
      proxy_read_timeout 1s; proxy_send_timeout 1s;`,
    over: ['websocket', 'stream', 'poll'],
  },
  {
    name: 'refuses upgrades, and cuts what is silent for a second',
    lines: 'if ($http_upgrade) { return 403; } proxy_read_timeout 1s;',
    over: ['stream', 'poll'],
  },
  {
    name: 'keeps answers in a cache where it may',
    lines:
      'if ($http_upgrade) { return 403; } proxy_cache kept; proxy_cache_valid any 10m; proxy_cache_methods GET HEAD POST;',
    over: ['stream', 'poll'],
  },
]

describe.skipIf(nginxPath === undefined)('behind a careless nginx', () => {
  let live: LiveServer
  let nginx: Nginx
  const ports: number[] = []

  beforeAll(async () => {
    live = await startLiveServer({ env: { HOTLINE_LIMIT_REQUESTS_PER_PRINCIPAL: '100000' } })
    const { host } = new URL(live.url)
    for (const _ of ways) ports.push(await freePort())
    const servers = ways.map(
      ({ lines }, at) => `server {
        listen 127.0.0.1:${ports[at]};
        location / {
          proxy_pass http://127.0.0.1:${new URL(live.url).port};
          proxy_set_header Host ${host};
          ${lines}
        }
      }`,
    )
    // In a folder of its own, as nginx is started in one.
    nginx = await startNginx(`proxy_cache_path cache keys_zone=kept:1m;\n${servers.join('\n')}`, ports[0] ?? 0)
  })
  afterAll(async () => {
    await nginx?.[Symbol.asyncDispose]()
    await live[Symbol.asyncDispose]()
  })

  it.concurrent.each(ways.map((way, at) => ({ ...way, at })))(
    '[C16] [N1] [N2] that $name, everything arrives once',
    async ({ over, at }) => {
      expect(nginx.pid).toBeGreaterThan(0)
      const hand = await live.startSession()
      const link = openLink({
        url: `http://127.0.0.1:${ports[at]}`,
        credential: { kind: 'token', token: live.token },
        random: () => 0,
      })
      const seen = new Set<Transport>()
      link.connection.watch((state) => state.status === 'open' && void seen.add(state.transport))
      try {
        const oracle = openOracleClient(link, 'behind nginx')
        oracle.follow(hand.stream)
        const sent: Promise<unknown>[] = []
        for (let round = 0; round < 6; round += 1) {
          const text = `line ${round}`
          const data = { source: 'stdout', encoding: 'utf8', bytes: text.length } as const
          await hand.report({ type: 'output.appended', data, body: { text } })
          sent.push(oracle.command(hand.stream, 'message.send', { text: `message ${round}` }))
          await Promise.all(sent)
          // Not a wait for anything: silence is what such a proxy cuts.
          await pause(round % 2 === 0 ? 1_300 : 10)
        }
        const events = await live.stored(hand.session)
        await waitFor(() => oracle.at(hand.stream) === events.length, { what: `everything, over ${[...seen].join()}` })
        expect(oracle.violations(hand.stream, events)).toEqual([])
        const texts = events.filter(({ type }) => type === 'message.posted').map(({ body }) => body?.['text'])
        expect(texts).toEqual(Array.from({ length: 6 }, (_, round) => `message ${round}`))
        expect([...seen].filter((transport) => !over.includes(transport))).toEqual([])
        expect(seen.size).toBeGreaterThan(0)
      } finally {
        await link[Symbol.asyncDispose]()
      }
    },
  )
})
