import { once } from 'node:events'
import { readFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { basename, join } from 'node:path'
import { expect, onTestFinished, test, vi } from 'vitest'
import { browserAvailability, chromiumVariable, openBrowser, takeScreenshots } from '../src/browser.ts'
import { findDescendants, isRunning, listProcesses } from '../src/process-list.ts'
import { openTempDir } from '../src/temp-dir.ts'
import { waitFor } from '../src/wait-for.ts'

const html = `<!doctype html><title>page</title><style>
  body { background: white; color: black } @media (prefers-color-scheme: dark) { body { background: black } }
</style><button onclick="document.body.append('pressed')">Press</button>`

/** Width and height from the header of a PNG. */
async function readPngSize(path: string): Promise<[number, number]> {
  const bytes = await readFile(path)
  expect(bytes.toString('latin1', 1, 4)).toBe('PNG')
  return [bytes.readUInt32BE(16), bytes.readUInt32BE(20)]
}

test.skipIf(!browserAvailability().available)(
  'a real browser opens a page, presses a button, and is photographed in each width and scheme',
  async () => {
    const server = createServer((_, response) => response.setHeader('Content-Type', 'text/html').end(html))
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    onTestFinished(() => {
      server.closeAllConnections()
      server.close()
    })
    const directory = await openTempDir()
    onTestFinished(() => directory.remove())
    const browser = await openBrowser()
    onTestFinished(() => browser.close())

    const page = await browser.newPage({ viewport: { width: 800, height: 600 } })
    await page.goto(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`)
    await page.getByRole('button', { name: 'Press' }).click()
    await page.getByText('pressed').waitFor()

    const paths = await takeScreenshots(page, 'page', {}, join(directory.path, 'shots'))
    expect(paths.map((path) => basename(path))).toEqual([
      'page-1440-light.png',
      'page-1440-dark.png',
      'page-390-light.png',
      'page-390-dark.png',
    ])
    expect(await Promise.all(paths.map(readPngSize))).toEqual([
      [1440, 900],
      [1440, 900],
      [390, 844],
      [390, 844],
    ])
    const [light, dark] = await Promise.all(paths.slice(0, 2).map((path) => readFile(path)))
    expect(light?.equals(dark ?? Buffer.alloc(0))).toBe(false)
    expect(page.viewportSize()).toEqual({ width: 800, height: 600 })

    const family = findDescendants(listProcesses(), [process.pid])
    expect(family.filter((entry) => entry.command.includes('--headless')).length).toBeGreaterThan(0)
    await browser.close()
    await waitFor(() => !family.some(isRunning), { what: 'the processes of the browser to end' })
  },
)

test('where there is no browser the reason is said in plain words', async () => {
  vi.stubEnv(chromiumVariable, '/nonexistent/chromium')
  onTestFinished(() => {
    vi.unstubAllEnvs()
  })
  const availability = browserAvailability()
  expect(availability).toEqual({ available: false, reason: expect.stringContaining('/nonexistent/chromium') })
  await expect(openBrowser()).rejects.toThrow('no Chromium is installed')
})
