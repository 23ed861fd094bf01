import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { httpRequest } from '@hotline/client/http-request'
import { type LiveServer, startLiveServer } from '@hotline/testing/live-server'
import { waitFor } from '@hotline/testing/wait-for'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { openMetrics } from '../../src/machine/metrics.ts'

let live: LiveServer
beforeEach(async () => {
  live = await startLiveServer()
})
afterEach(async () => {
  await live[Symbol.asyncDispose]()
})

type Series = ReadonlyMap<string, number>

/** Reads what Prometheus would read: `name{labels}` with its value. */
async function scrape(): Promise<Series> {
  const response = await fetch(`${live.url}/metrics`, { headers: { authorization: `Bearer ${live.token}` } })
  expect(response.status).toBe(200)
  expect(response.headers.get('content-type')).toMatch(/^text\/plain; version=0\.0\.4/)
  const lines = (await response.text()).split('\n').filter((line) => line !== '' && !line.startsWith('#'))
  return new Map(
    lines.map((line) => {
      const [, name = '', value] = /^(\S+(?:\{.*\})?) (\S+)$/.exec(line) ?? []
      expect(name).not.toBe('')
      return [name, Number(value)]
    }),
  )
}

const decide = (session: string, asked: { approval: string; digest: string }, verdict: 'allow' | 'deny') =>
  httpRequest(live.url, { kind: 'token', token: live.token }, 'POST', '/api/commands', {
    id: crypto.randomUUID(),
    stream: `session:${session}`,
    type: 'approval.decide',
    data: { ...asked, verdict },
  })

describe('/metrics', () => {
  it('[O5] counts what happens, and nothing else', async () => {
    const before = await scrape()
    const link = live.link()
    const caughtUp = Promise.withResolvers<void>()
    const runner = await live.startSession()
    link.follow(runner.stream, '0', { events: () => undefined, caughtUp: () => caughtUp.resolve() })
    await caughtUp.promise
    const first = await runner.ask({ tool: 'bash', title: 'one', input: 'ls' })
    const second = await runner.ask({ tool: 'bash', title: 'two', input: 'ls' })
    await runner.ask({ tool: 'bash', title: 'three', input: 'ls' })
    await decide(runner.session, first, 'allow')
    await decide(runner.session, second, 'deny')
    const twice = await decide(runner.session, first, 'deny')
    expect(twice).toMatchObject({ ok: false, problem: { code: 'already_resolved' } })
    const unread = await link.command('session:none', 'message.send', { text: 'to nobody' })
    expect(unread).toMatchObject({ ok: false, problem: { code: 'not_found' } })

    const after = await scrape()
    const grown = (name: string): number => (after.get(name) ?? 0) - (before.get(name) ?? 0)
    expect(grown('hotline_commands_total{type="session.start"}')).toBe(1)
    expect(grown('hotline_commands_total{type="lease.take"}')).toBe(1)
    expect(grown('hotline_commands_total{type="approval.decide"}')).toBe(2)
    expect(grown('hotline_command_refusals_total{code="already_resolved"}')).toBe(1)
    expect(grown('hotline_command_refusals_total{code="not_found"}')).toBe(1)
    // Start, lease, one report that the agent is ready and three that it asks, two decisions, two refusals.
    expect(grown('hotline_command_duration_seconds_count')).toBe(10)
    expect(grown('hotline_refusals_total{code="already_resolved"}')).toBe(1)
    expect(grown('hotline_http_requests_total{method="POST",route="/api/commands",status="200"}')).toBe(3)
    expect(grown('hotline_http_requests_total{method="POST",route="/api/commands",status="409"}')).toBe(1)
    expect(grown('hotline_http_request_duration_seconds_count{method="POST",route="/api/commands"}')).toBe(4)

    const stored = await live.stored(runner.session)
    expect(grown('hotline_log_events_total')).toBeGreaterThanOrEqual(stored.length)
    expect(grown('hotline_log_appends_total{outcome="written"}')).toBe(8)
    expect(grown('hotline_log_commit_duration_seconds_count')).toBeGreaterThan(0)
    expect(grown('hotline_log_commit_duration_seconds_count')).toBeLessThanOrEqual(8)
    expect(grown('hotline_log_appends_total{outcome="unavailable"}')).toBe(0)

    expect(after.get('hotline_approvals_open')).toBe(1)
    expect(grown('hotline_approvals_total{outcome="allowed"}')).toBe(1)
    expect(grown('hotline_approvals_total{outcome="denied"}')).toBe(1)
    expect(grown('hotline_approvals_total{outcome="timed_out"}')).toBe(0)
    expect(after.get('hotline_sessions{status="active"}')).toBe(1)
    expect(after.get('hotline_sessions{status="completed"}')).toBe(0)

    expect(after.get('hotline_connections{kind="person"}')).toBe(1)
    expect(after.get('hotline_connections{kind="runner"}')).toBe(1)
    expect(after.get('hotline_connections{kind="service"}')).toBe(0)
    expect(grown('hotline_connections_opened_total{kind="person"}')).toBe(1)
    expect(after.get('hotline_runners_connected')).toBe(1)
    expect(after.get('hotline_followers')).toBe(1)
    expect(grown('hotline_follows_total{from="start"}')).toBe(1)
    expect(grown('hotline_follows_total{from="cursor"}')).toBe(0)
    expect(grown('hotline_received_frames_total')).toBeGreaterThanOrEqual(8)
    expect(grown('hotline_sent_frames_total')).toBeGreaterThanOrEqual(8)
    expect(grown('hotline_sent_bytes_total')).toBeGreaterThan(1_000)

    await link[Symbol.asyncDispose]()
    const later = await waitFor(
      async () => {
        const now = await scrape()
        return now.get('hotline_connections{kind="person"}') === 0 && now
      },
      { what: 'the end of the connection' },
    )
    expect(later.get('hotline_connection_duration_seconds_count{kind="person"}')).toBe(1)
    expect(later.get('hotline_followers')).toBe(0)
    expect(later.get('hotline_connections_opened_total{kind="person"}')).toBe(1)
  })

  it('[O5] tells what the server takes of its machine', async () => {
    const first = await scrape()
    const second = await scrape()
    expect(second.get('process_resident_memory_bytes')).toBeGreaterThan(10_000_000)
    expect(second.get('process_cpu_seconds_total')).toBeGreaterThanOrEqual(first.get('process_cpu_seconds_total') ?? 0)
    expect(first.get('process_cpu_seconds_total')).toBeGreaterThan(0)
    expect(second.get('hotline_disk_free_bytes')).toBeGreaterThan(0)
    expect(second.get('hotline_database_bytes')).toBeGreaterThan(4_096)
    expect(second.get(`hotline_build_info{version="0.1.0",node="${process.versions.node}"}`)).toBe(1)
  })

  it('[O5] counts a follower that came back with its cursor', async () => {
    const runner = await live.startSession()
    const link = live.link({ url: live.proxyUrl })
    let caughtUp = 0
    link.follow(runner.stream, '0', { events: () => undefined, caughtUp: () => (caughtUp += 1) })
    await waitFor(() => caughtUp > 0, { what: 'the first follow' })
    live.proxy.cut()
    await waitFor(() => caughtUp > 1, { what: 'the second follow' })
    const now = await scrape()
    expect(now.get('hotline_follows_total{from="cursor"}')).toBe(1)
    expect(now.get('hotline_connections_opened_total{kind="person"}')).toBe(2)
  })

  it('[O6] whatever comes in, the number of series stays as it is', async () => {
    const runner = await live.startSession()
    const credential = { kind: 'token', token: live.token } as const
    const variety = async (of: string): Promise<void> => {
      await fetch(`${live.url}/${of}`)
      await fetch(`${live.url}/api/${of}`, { method: 'PURGE' })
      await httpRequest(live.url, credential, 'GET', `/api/sessions/${of}`)
      for (const type of [`${of}.do`, 'message.send']) {
        const command = { id: of, stream: `session:${of}`, type, data: { text: of } }
        await httpRequest(live.url, credential, 'POST', '/api/commands', command)
      }
      const text = `to ${of}`
      await httpRequest(live.url, credential, 'POST', '/api/commands', {
        id: `${of}-2`,
        stream: runner.stream,
        type: 'message.send',
        data: { text },
      })
      await fetch(`${live.url}/api/auth/sign-in`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', origin: live.url },
        body: JSON.stringify({ name: of, password: `${of} is not the password` }),
      })
    }
    await variety('one')
    await scrape()
    const known = new Set((await scrape()).keys())
    for (const of of ['two', 'three', 'four']) await variety(of)
    expect([...(await scrape()).keys()].filter((name) => !known.has(name))).toEqual([])
  })

  it('[O5] docs/operations.md lists each metric, with its kind and its labels', async () => {
    const page = readFileSync(join(import.meta.dirname, '../../../../docs/operations.md'), 'utf8')
    const rows = [...page.matchAll(/^\| `((?:hotline|process|nodejs)_\w+)` \| (\w+) \|([^|]*)\| (\S[^|]*) \|$/gm)]
    const documented = rows.map(([, name, kind, labels = '']) => {
      return [name, kind, [...labels.matchAll(/`(\w+)`/g)].map(([, label]) => label)]
    })
    const { registry } = openMetrics()
    const measured = registry.getMetricsAsArray().map((metric) => {
      const { name, type } = registry.getSingleMetric(metric.name) as unknown as { name: string; type: string }
      const { labelNames } = metric as unknown as { labelNames: readonly string[] }
      return [name, type, labelNames]
    })
    expect(documented).toEqual(measured)
    for (const [name = '', type] of measured as [string, string][]) {
      expect(name).toMatch(type === 'counter' ? /_total$/ : /(?<!_total)$/)
      if (type === 'histogram') expect(name).toMatch(/_seconds$/)
    }
  })

  it('[O5] docs/grafana-dashboard.json asks for metrics and labels that there are', () => {
    const file = join(import.meta.dirname, '../../../../docs/grafana-dashboard.json')
    const { panels } = JSON.parse(readFileSync(file, 'utf8')) as {
      panels: {
        title: string
        gridPos: { x: number; y: number; w: number; h: number }
        targets: { expr: string; legendFormat: string }[]
      }[]
    }
    const { registry } = openMetrics()
    const labelsOf = new Map(
      registry.getMetricsAsArray().map((metric) => {
        const { labelNames } = metric as unknown as { labelNames: readonly string[] }
        return [metric.name, labelNames]
      }),
    )
    const cells = new Set<string>()
    for (const { title, gridPos, targets } of panels) {
      for (let x = gridPos.x; x < gridPos.x + gridPos.w; x += 1)
        for (let y = gridPos.y; y < gridPos.y + gridPos.h; y += 1) {
          expect([title, cells.has(`${x}/${y}`), x < 24]).toEqual([title, false, true])
          cells.add(`${x}/${y}`)
        }
      for (const { expr, legendFormat } of targets) {
        const [name = ''] = /(?:hotline|process|nodejs)_\w+/.exec(expr) ?? []
        const labels = labelsOf.get(name.replace(/_bucket$/, ''))
        expect([title, name, labels]).toEqual([title, name, expect.any(Array)])
        const used = [
          ...[...expr.matchAll(/by \((\w+)\)/g)].map(([, label]) => label),
          ...[...expr.matchAll(/[{,](\w+)[=!]/g)].map(([, label]) => label),
          ...[...legendFormat.matchAll(/\{\{(\w+)\}\}/g)].map(([, label]) => label),
        ]
        expect([title, used.filter((label) => label !== 'le' && !labels?.includes(label ?? ''))]).toEqual([title, []])
      }
    }
    expect(panels.length).toBeGreaterThan(15)
  })
})
