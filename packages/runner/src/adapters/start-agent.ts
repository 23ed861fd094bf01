import type { HeldProcess, Holder } from '../process/holder.ts'
import { StartError, type StartSpec } from './adapter.ts'

/** What an adapter brings to the start of an agent over pipes. */
export interface Opening<Agent> {
  spec: StartSpec
  /** The command, where it is not that of the spec. */
  argv?: readonly string[]
  holder: Holder
  /** Calls the start off. */
  signal: AbortSignal
  /** For the whole handshake; after it the start has failed. */
  timeoutMs: number
  open: (held: HeldProcess) => Agent
  shakeHands: (agent: Agent) => Promise<void>
  /** What went wrong, in a sentence for people, where the adapter knows it. */
  why: (error: unknown) => string | undefined
}

/**
 * Starts a program and hands it over when it has shaken hands. Otherwise nothing of it is left, and a StartError says why,
 * with the last words of the program.
 */
export async function startAgent<Agent extends { readonly lastWords: string }>(
  opening: Opening<Agent>,
): Promise<Agent> {
  const { spec, holder, signal, timeoutMs, open, shakeHands, why } = opening
  const { session, cwd, env, run } = spec
  const argv = opening.argv ?? spec.argv
  const held = await holder.start({ session, argv, cwd, env, run }).catch((cause: unknown) => {
    throw new StartError(`"${argv[0]}" could not be started: ${messageOf(cause)}`, { cause })
  })
  const agent = open(held)
  const ending = AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)])
  try {
    await Promise.race([shakeHands(agent), aborted(ending, signal, timeoutMs)])
    return agent
  } catch (error) {
    await held.end(0)
    const sentence =
      error instanceof StartError
        ? error.message
        : (why(error) ?? `The agent could not be started: ${messageOf(error)}`)
    const { lastWords } = agent
    throw new StartError(lastWords === '' ? sentence : `${sentence} Its last words: ${lastWords}`, { cause: error })
  }
}

function aborted(ending: AbortSignal, byCaller: AbortSignal, timeoutMs: number): Promise<never> {
  return new Promise((_, reject) => {
    const fail = (): void =>
      reject(
        new StartError(
          byCaller.aborted
            ? 'The start was called off.'
            : `The agent did not get ready within ${timeoutMs / 1_000} seconds.`,
        ),
      )
    if (ending.aborted) fail()
    else ending.addEventListener('abort', fail, { once: true })
  })
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
