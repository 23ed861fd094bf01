import { spawn } from 'node:child_process'
import { gitQuiet } from '../process/git-quiet.ts'

/** Bytes of an answer that are taken: the names of some hundred thousand files. */
const answerBytes = 48 * 1024 * 1024
const complaintChars = 2_000

/** Git, run for one answer. */
export interface GitCall {
  /** The program, by an absolute path. */
  program: string
  args: readonly string[]
  cwd: string
  /** Beside what turns everything off. */
  env: Readonly<Record<string, string>>
  input?: string | Uint8Array | undefined
  /** Ends that are an answer as well; 0 always is. */
  answers?: readonly number[] | undefined
  /** When it passes, git is ended and it throws. */
  timeoutMs: number
  signal?: AbortSignal | undefined
}

/** Git could not do it; the message is its complaint, for people. */
export class GitRefusal extends Error {
  override readonly name = 'GitRefusal'
}

/** Runs git to its end and answers what it printed. Throws `GitRefusal`. */
export async function runGit({ program, args, cwd, env, input, answers, timeoutMs, signal }: GitCall): Promise<string> {
  const what = args[0] ?? ''
  const child = spawn(program, ['--no-pager', ...args], {
    cwd,
    env: { ...gitQuiet, HOME: cwd, XDG_CONFIG_HOME: cwd, ...env },
    stdio: ['pipe', 'pipe', 'pipe'],
    windowsHide: true,
    signal: AbortSignal.any([AbortSignal.timeout(timeoutMs), ...(signal ? [signal] : [])]),
    killSignal: 'SIGKILL',
  })
  const parts: Buffer[] = []
  let bytes = 0
  let complaint = ''
  child.stdout.on('data', (part: Buffer) => {
    bytes += part.length
    if (bytes > answerBytes) child.kill('SIGKILL')
    else parts.push(part)
  })
  child.stderr.on('data', (part: Buffer) => {
    if (complaint.length < complaintChars) complaint += part.toString()
  })
  child.stdin.on('error', () => undefined)
  child.stdin.end(input ?? '')
  return await new Promise((resolve, reject) => {
    child.once('error', (error) => {
      const why = error.name === 'AbortError' ? 'took too long' : `could not be started (${error.message})`
      reject(new GitRefusal(`git ${what} ${why}.`))
    })
    child.once('close', (code, end) => {
      const isAnswer = code === 0 || (code !== null && answers?.includes(code))
      if (isAnswer && bytes <= answerBytes) resolve(Buffer.concat(parts).toString())
      else if (bytes > answerBytes) reject(new GitRefusal(`git ${what} had too much to say.`))
      else reject(new GitRefusal(`git ${what} ended with ${end ?? code}: ${complaint.trim().slice(0, complaintChars)}`))
    })
  })
}

/** The members of a list that git ends with NUL. */
export function listed(text: string): string[] {
  return text.split('\0').filter((part) => part !== '')
}
