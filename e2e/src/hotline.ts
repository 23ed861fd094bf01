import { type ChildProcess, spawn } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { openLink } from '@hotline/client/open-link'
import type { Link } from '@hotline/client/link'
import { freePort } from '@hotline/testing/free-port'
import { waitFor } from '@hotline/testing/wait-for'
import { type Api, openApi } from './api.ts'

export const owner = { name: 'dana', password: 'a long walk over the wet meadow' }

/** A whole Hotline as a newcomer starts it, in a data directory and at a port of its own. */
export interface Hotline extends AsyncDisposable {
  readonly dataDir: string
  readonly url: string
  /** The link that was printed at the first start. */
  readonly bootstrapLink: string
  /** Everything that was printed. */
  readonly printed: string
  /** The process of `hotline up`. */
  readonly process: ChildProcess
  /** Process ids of the server and the runner, by the program they run. */
  pidOf(part: 'server' | 'runner'): number | undefined
  /** Ends it as Ctrl-C does; resolves when the process has ended. */
  interrupt(): Promise<void>
  /** Starts it again in the same data directory. */
  restart(env?: Record<string, string>): Promise<void>
  /** As the first account, over HTTP. */
  api: Api
  openLink(): Link
}

/** Starts it and, unless `bootstrap` is false, makes the first account. */
export async function startHotline(
  options: { env?: Record<string, string>; bootstrap?: boolean } = {},
): Promise<Hotline> {
  const home = mkdtempSync(join(tmpdir(), 'hotline-e2e-'))
  // By the name that it has where nobody chooses: what is in a folder is judged by its path.
  const dataDir = join(home, '.hotline')
  const port = await freePort()
  let printed = ''
  let child: ChildProcess

  async function launch(more: Record<string, string> = {}): Promise<void> {
    printed = ''
    child = spawn(process.execPath, [join(import.meta.dirname, '../../packages/cli/bin/hotline.js'), 'up'], {
      env: {
        PATH: process.env['PATH'],
        HOME: process.env['HOME'],
        LANG: 'C.UTF-8',
        HOTLINE_DATA_DIR: dataDir,
        HOTLINE_PORT: String(port),
        ...options.env,
        ...more,
      },
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    child.stdout?.on('data', (bytes: Buffer) => (printed += bytes.toString()))
    child.stderr?.on('data', (bytes: Buffer) => (printed += bytes.toString()))
    await waitFor(
      () => {
        if (child.exitCode !== null) throw new Error(`hotline up ended:\n${printed}`)
        return printed.includes('Ctrl-C ends everything.')
      },
      { deadlineMs: 40_000, what: 'hotline up to be ready' },
    )
  }
  await launch()
  const url = `http://localhost:${port}`
  const bootstrapLink = /http:\/\/\S+#bootstrap=\S+/.exec(printed)?.[0] ?? ''

  const token = (): string => readFileSync(join(dataDir, 'cli-token'), 'utf8').trim()
  const credential = (): { kind: 'token'; token: string } => ({ kind: 'token', token: token() })
  const api = openApi(url, credential)
  const interrupt = async (): Promise<void> => {
    if (child.exitCode !== null || child.signalCode !== null) return
    const ended = new Promise((resolve) => child.once('exit', resolve))
    child.kill('SIGINT')
    await ended
  }

  const hotline: Hotline = {
    dataDir,
    url,
    bootstrapLink,
    get printed() {
      return printed
    },
    get process() {
      return child
    },
    pidOf: (part) => childrenOf(child.pid ?? 0).find(({ command }) => command.includes(`packages/${part}/`))?.pid,
    interrupt,
    restart: launch,
    api,
    openLink: () => openLink({ url, credential: credential(), client: 'e2e' }),
    [Symbol.asyncDispose]: async () => {
      await interrupt()
      rmSync(home, { recursive: true, force: true })
    },
  }
  if (options.bootstrap !== false) {
    const code = decodeURIComponent(bootstrapLink.split('#bootstrap=')[1] ?? '')
    const first = await fetch(`${url}/api/auth/bootstrap`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', origin: url },
      body: JSON.stringify({ code, ...owner }),
    })
    if (!first.ok) throw new Error(`bootstrap: ${first.status} ${await first.text()}\n${printed}`)
    await waitFor(() => readFileSync(join(dataDir, 'cli-token'), 'utf8'), {
      what: 'the token for the command line',
    })
  }
  return hotline
}

/** Direct children of a process, from /proc. */
function childrenOf(parent: number): { pid: number; command: string }[] {
  const pids = readFileSync(`/proc/${parent}/task/${parent}/children`, 'utf8').trim().split(' ').filter(Boolean)
  return pids.map((pid) => ({
    pid: Number(pid),
    command: readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' '),
  }))
}
