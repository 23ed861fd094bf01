import { execFile } from 'node:child_process'
import { cpSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { checkPackage, createPackageFromTarballData } from '@arethetypeswrong/core'
import type { Report } from '@hotline/protocol/commands/agent'
import { openBrowser } from '@hotline/testing/browser'
import { startLiveServer } from '@hotline/testing/live-server'
import { openTempDir, type TempDir } from '@hotline/testing/temp-dir'
import { waitFor } from '@hotline/testing/wait-for'
import { publint } from 'publint'
import { build } from 'vite'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'

const root = join(import.meta.dirname, '../..')
const run = promisify(execFile)
const versionOf = (name: string): string =>
  (JSON.parse(readFileSync(join(root, 'node_modules', name, 'package.json'), 'utf8')) as { version: string }).version

/** A folder outside of the workspace, where the package is installed as anybody would. */
let temp: TempDir
let tarball: string
let project: string
beforeAll(async () => {
  temp = await openTempDir('hotline-sdk-')
  const packed = await run(process.execPath, [join(root, 'scripts/pack-sdk.ts'), temp.path])
  tarball = packed.stdout.trim()
  project = join(temp.path, 'project')
  mkdirSync(project)
  writeFileSync(join(project, 'package.json'), JSON.stringify({ name: 'own', private: true, type: 'module' }))
  const wanted = ['react', 'react-dom', '@types/react', '@types/react-dom', '@types/node']
  const packages = [tarball, ...wanted.map((name) => `${name}@${versionOf(name)}`)]
  await run('npm', ['install', '--prefer-offline', '--ignore-scripts', '--no-audit', '--no-fund', ...packages], {
    cwd: project,
  })
})
afterAll(() => temp[Symbol.asyncDispose]())

describe('the SDK as it is published', () => {
  it('[PK1] is as packages should be: every entry is there, with its types, for each kind of importer of modules', async () => {
    const { messages } = await publint({
      pack: { tarball: new Uint8Array(readFileSync(tarball)).buffer },
      strict: true,
    })
    expect(messages).toEqual([])
    const analysis = await checkPackage(createPackageFromTarballData(new Uint8Array(readFileSync(tarball))))
    expect(analysis.types).toMatchObject({ kind: 'included' })
    // It is made of modules alone: from a CommonJS program it is loaded with `import()`. The oldest resolution knows no `exports`.
    const others = 'problems' in analysis ? analysis.problems : []
    const told = others.filter((one) => !('resolutionKind' in one && /^node(10|16-cjs)$/.test(one.resolutionKind)))
    expect(told).toEqual([])
    const { exports, dependencies } = JSON.parse(
      readFileSync(join(project, 'node_modules/@hotline/client/package.json'), 'utf8'),
    ) as { exports: Record<string, unknown>; dependencies: Record<string, string> }
    expect(Object.keys(exports)).toEqual(expect.arrayContaining(['./open-link', './session-view', './react']))
    expect(Object.keys(dependencies)).toEqual(['@msgpack/msgpack', 'eventsource-parser', 'zod'])
  })

  it.each(['nodenext', 'bundler'])(
    '[PK1] its types hold in a program that resolves as %s',
    async (moduleResolution) => {
      cpSync(join(root, 'examples/session-page.tsx'), join(project, 'page.tsx'))
      cpSync(join(root, 'examples/dashboard.ts'), join(project, 'dashboard.ts'))
      const compilerOptions = {
        strict: true,
        noEmit: true,
        skipLibCheck: false,
        exactOptionalPropertyTypes: true,
        target: 'es2024',
        lib: ['es2024', 'esnext.disposable', 'dom', 'dom.iterable', 'dom.asynciterable'],
        module: moduleResolution === 'bundler' ? 'preserve' : 'nodenext',
        moduleResolution,
        jsx: 'react-jsx',
        types: ['node'],
      }
      const config = join(project, `tsconfig.${moduleResolution}.json`)
      writeFileSync(config, JSON.stringify({ compilerOptions, files: ['page.tsx', 'dashboard.ts'] }))
      const checked = await run(process.execPath, [join(root, 'node_modules/typescript/bin/tsc'), '-p', config]).catch(
        (error: { stdout: string }) => error,
      )
      expect(checked.stdout).toBe('')
    },
  )

  it('[PK2] [EX4] a page of one’s own shows a session with the hooks, answers what it asks and writes to it', async () => {
    const page = join(project, 'page')
    mkdirSync(page)
    cpSync(join(root, 'examples/session-page.tsx'), join(page, 'main.tsx'))
    writeFileSync(
      join(page, 'index.html'),
      '<!doctype html><title>own</title><div id="root"></div><script type="module" src="/main.tsx"></script>',
    )
    await build({ root: page, configFile: false, logLevel: 'silent', build: { modulePreload: { polyfill: false } } })
    await using live = await startLiveServer({ pageDir: join(page, 'dist') })
    await using browser = await openBrowser()
    const hand = await live.startSession('From a page of one’s own')
    let messages = 0
    const said = (text: string): Report => ({
      type: 'message.posted',
      data: { message: `m${(messages += 1)}`, role: 'agent', queued: false, chars: text.length },
      body: { text },
    })
    // More than one window of the conversation.
    await hand.report(said('The first word'))
    for (let at = 0; at < 4; at += 1)
      await hand.report(...Array.from({ length: 60 }, (_, n) => said(`word ${at}-${n}`)))
    await hand.report(said('Ready'))
    const view = await (await browser.newContext()).newPage()
    await view.goto(`${live.proxyUrl}/#session=${hand.session}&token=${encodeURIComponent(live.token)}`)
    await view.getByRole('heading', { name: 'From a page of one’s own' }).waitFor()
    await view.getByText('Ready').waitFor()
    expect(await view.getByText('The first word').count()).toBe(0)
    await view.getByRole('button', { name: 'Older' }).click()
    await view.getByText('The first word').waitFor()
    await view.getByRole('status').filter({ hasText: 'open' }).waitFor()
    const { approval } = await hand.ask({ tool: 'bash', title: 'List the folder', input: 'ls' })
    await view.getByText('List the folder').waitFor()
    await view.getByRole('button', { name: 'Deny' }).click()
    await view.getByText('List the folder').waitFor({ state: 'detached' })
    await view.getByLabel('Message').fill('Go on then')
    await view.getByRole('button', { name: 'Send' }).click()
    await view.getByText('Go on then').waitFor()
    const told = await waitFor(
      async () => {
        const events = await live.stored(hand.session)
        const isWritten = events.some(({ type, body }) => type === 'message.posted' && body?.['text'] === 'Go on then')
        return isWritten && events
      },
      { what: 'the message in the log' },
    )
    const decided = told.find(({ type }) => type === 'approval.resolved')
    expect(decided).toMatchObject({ data: { approval, outcome: 'denied' }, body: { reason: 'Not here.' } })
    live.proxy.refuse()
    live.proxy.cut()
    await view.getByRole('status').filter({ hasText: 'waiting' }).waitFor()
    await hand.report(said('While you were away'))
    live.proxy.restore()
    await view.getByText('While you were away').waitFor()
    await view.goto(`${live.proxyUrl}/?list#token=${encodeURIComponent(live.token)}`)
    await view.getByRole('listitem').filter({ hasText: 'From a page of one’s own: active' }).waitFor()
  })
})
