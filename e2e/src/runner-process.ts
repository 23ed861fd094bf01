import { type ChildProcess, spawn } from 'node:child_process'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { waitFor } from '@hotline/testing/wait-for'

const main = fileURLToPath(import.meta.resolve('@hotline/runner/main'))

/** A runner alone, as a process of its own: what a test stops, kills and cuts off from its server. */
export interface RunnerProcess extends AsyncDisposable {
  /** Of the present life. */
  readonly pid: number
  /** What it wrote to standard error. */
  readonly complaints: string
  signal(name: 'SIGKILL' | 'SIGSTOP' | 'SIGCONT'): void
  /** Another life in the same directory, after the end of this one. */
  restart(): Promise<void>
}

/** Starts it and waits until the server knows it. It takes its key from the server's directory. */
export async function startRunnerProcess(options: {
  url: string
  serverDir: string
  dir: string
  /** Over what it is started with otherwise. */
  env?: Readonly<Record<string, string>>
}): Promise<RunnerProcess> {
  let child: ChildProcess | undefined
  let gone: Promise<unknown> = Promise.resolve()
  let complaints = ''
  async function start(): Promise<void> {
    let said = ''
    const born = spawn(process.execPath, [main], {
      env: {
        PATH: process.env['PATH'],
        HOME: process.env['HOME'],
        LANG: 'C.UTF-8',
        HOTLINE_URL: options.url,
        HOTLINE_RUNNER_KEY_FILE: join(options.serverDir, 'runner-key'),
        HOTLINE_DATA_DIR: options.dir,
        ...options.env,
      },
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    child = born
    gone = new Promise((resolve) => born.once('exit', resolve))
    born.stdout.on('data', (bytes: Buffer) => (said += bytes.toString()))
    born.stderr.on('data', (bytes: Buffer) => (complaints += bytes.toString()))
    await waitFor(() => said.includes('"ready":true'), { what: 'the runner to be ready', deadlineMs: 30_000 })
  }
  await start()
  return {
    get pid() {
      return child?.pid ?? 0
    },
    get complaints() {
      return complaints
    },
    signal: (name) => child?.kill(name),
    restart: async () => {
      await gone
      await start()
    },
    [Symbol.asyncDispose]: async () => {
      child?.kill('SIGCONT')
      child?.kill('SIGTERM')
      await gone
    },
  }
}
