import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Page, Request } from 'playwright-core'

/** A server of somebody else's that nobody should ever ask for anything, and what was asked of it. */
export interface Trap extends AsyncDisposable {
  readonly url: string
  readonly hits: readonly string[]
}

/** Answers everything with a script, an image and a style at once: whatever is loaded would do something. */
export async function startTrap(): Promise<Trap> {
  const hits: string[] = []
  const server = createServer((request, response) => {
    hits.push(`${request.method} ${request.url}`)
    response.setHeader('access-control-allow-origin', '*')
    response.end('window.trapped = "loaded"')
  })
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening))
  const { port } = server.address() as AddressInfo
  return {
    url: `http://127.0.0.1:${port}`,
    hits,
    [Symbol.asyncDispose]: () =>
      new Promise((closed) => {
        server.close(() => closed())
        server.closeAllConnections()
      }),
  }
}

/** Whatever the page does that it must not: asks somebody else, opens a window, a dialog or a download, runs what was said. */
export function watchPage(page: Page, origin: string): readonly string[] {
  const seen: string[] = []
  // What the page's policy refuses never leaves the browser, though the browser tells of it.
  const asked = (request: Request): void => {
    const url = new URL(request.url())
    const isRefused = request.failure()?.errorText === 'csp'
    if (url.origin !== origin && !/^(?:blob|data):$/.test(url.protocol) && !isRefused) seen.push(`asked ${url.href}`)
  }
  page.on('requestfinished', asked)
  page.on('requestfailed', asked)
  page.on('dialog', (dialog) => {
    seen.push(`dialog ${dialog.message()}`)
    void dialog.dismiss()
  })
  page.on('popup', (popup) => seen.push(`opened ${popup.url()}`))
  page.on('download', (download) => seen.push(`downloaded ${download.url()}`))
  page.on('framenavigated', (frame) => {
    if (new URL(frame.url()).origin !== origin) seen.push(`went to ${frame.url()}`)
  })
  return seen
}
