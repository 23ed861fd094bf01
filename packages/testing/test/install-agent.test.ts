import { execFile } from 'node:child_process'
import { createHash } from 'node:crypto'
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { expect, onTestFinished, test } from 'vitest'
import { agentPackages } from '../src/agents/agent-packages.ts'
import { installAgent } from '../src/agents/install-agent.ts'
import { openTempDir } from '../src/temp-dir.ts'

const run = promisify(execFile)

/** A registry with one package: a program of two lines in the place of the agent. */
async function openRegistry(dir: string): Promise<{ url: string; fetched: string[] }> {
  const { package: name, version, program } = agentPackages.copilot
  const source = join(dir, 'source')
  await mkdir(source, { recursive: true })
  const manifest = { name, version, bin: { [program]: 'main.js' } }
  await writeFile(join(source, 'package.json'), JSON.stringify(manifest))
  await writeFile(join(source, 'main.js'), '#!/usr/bin/env node\nconsole.log("I am here")\n')
  const { stdout } = await run('npm', ['pack', source, '--pack-destination', dir, '--loglevel=error'])
  const tarball = await readFile(join(dir, stdout.trim()))
  const fetched: string[] = []
  const server = createServer((request, response) => {
    fetched.push(request.url ?? '')
    if (request.url?.endsWith('.tgz')) return response.end(tarball)
    const integrity = `sha512-${createHash('sha512').update(tarball).digest('base64')}`
    const dist = { tarball: `${url}/package.tgz`, integrity }
    return response
      .setHeader('content-type', 'application/json')
      .end(JSON.stringify({ name, 'dist-tags': { latest: version }, versions: { [version]: { ...manifest, dist } } }))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => void server.close())
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  return { url, fetched }
}

async function openPlace(): Promise<{ dir: string; cache: string; env: Record<string, string | undefined> }> {
  const temp = await openTempDir('hotline-agents-')
  onTestFinished(() => temp.remove())
  const cache = join(temp.path, 'cache')
  const npm = { npm_config_cache: join(temp.path, 'npm'), npm_config_fetch_retries: '0' }
  const env = { ...process.env, ...npm, XDG_CACHE_HOME: cache, HOTLINE_TEST_AGENTS: undefined }
  return { dir: temp.path, cache: join(cache, 'hotline-test-agents'), env }
}

test('an agent is installed once at its exact version, however many ask for it at the same time', async () => {
  const { dir, cache, env } = await openPlace()
  const registry = await openRegistry(dir)
  const from = { ...env, npm_config_registry: registry.url }
  const installed = await Promise.all([1, 2, 3].map(() => installAgent('copilot', from)))
  const [first] = installed
  expect(installed).toEqual([first, first, first])
  if (!first?.ok) throw new Error('it was not installed')
  const said = await run(process.execPath, [first.program])
  expect(said.stdout).toBe('I am here\n')
  expect(registry.fetched.filter((path) => path.endsWith('.tgz'))).toHaveLength(1)
  expect((await readdir(cache)).toSorted()).toEqual([`copilot.lock`, `copilot@${agentPackages.copilot.version}`])
})

test('without a registry the answer says why and what to do, and nothing half is left', async () => {
  const { cache, env } = await openPlace()
  const nowhere = { ...env, npm_config_registry: 'http://127.0.0.1:1' }
  const missing = await installAgent('copilot', nowhere)
  if (missing.ok) throw new Error('it was installed from nowhere')
  expect(missing.why).toContain('@github/copilot@')
  expect(missing.why).toMatch(/ECONNREFUSED|127\.0\.0\.1:1/)
  expect(missing.why).toContain('npm config get registry')
  await expect(installAgent('copilot', { ...nowhere, HOTLINE_TEST_AGENTS: 'required' })).rejects.toThrow(/registry/)
  expect(await installAgent('copilot', { ...nowhere, HOTLINE_TEST_AGENTS: 'none' })).toMatchObject({ ok: false })
  expect(await readdir(cache)).toEqual(['copilot.lock'])
})
