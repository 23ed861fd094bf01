import { statSync } from 'node:fs'
import { httpRequest } from '@hotline/client/http-request'
import type { Settings } from '../settings.ts'

export interface Finding {
  ok: boolean
  what: string
}

/** Looks at what usually is the matter; each finding says what to do. */
export async function doctor({ dataDir, url, token }: Settings): Promise<readonly Finding[]> {
  const findings: Finding[] = [{ ok: true, what: `Node ${process.versions.node}` }]
  try {
    const mode = statSync(dataDir).mode & 0o077
    findings.push({
      ok: mode === 0,
      what: mode === 0 ? `${dataDir} is yours alone` : `others can read ${dataDir}: chmod 700 it`,
    })
  } catch {
    findings.push({ ok: false, what: `${dataDir} does not exist: start Hotline once with "hotline up"` })
  }
  const credential = { kind: 'token', token: token ?? '' } as const
  const health = await httpRequest(url, credential, 'GET', '/readyz')
  findings.push({
    ok: health.ok,
    what: health.ok ? `the server at ${url} is ready` : `the server at ${url}: ${health.problem.detail}`,
  })
  if (!health.ok) return findings
  const me = token === undefined ? undefined : await httpRequest<{ name: string }>(url, credential, 'GET', '/api/me')
  if (!me)
    findings.push({ ok: false, what: 'no credential: create a personal token in the page and set HOTLINE_TOKEN' })
  else findings.push({ ok: me.ok, what: me.ok ? `signed in as ${me.value.name}` : me.problem.detail })
  if (me?.ok) {
    const agents = await httpRequest<{ agents: unknown[] }>(url, credential, 'GET', '/api/agents')
    const count = agents.ok ? agents.value.agents.length : 0
    findings.push({ ok: count > 0, what: count > 0 ? `${count} agents can be seen` : 'no runner is connected' })
  }
  return findings
}
