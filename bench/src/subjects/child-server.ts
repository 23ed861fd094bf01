import { type ChildOptions, type Line, numberOf, startChild } from '../child.ts'

/** How long a peer may take until it says on which port it listens; then the sample fails. */
const startTimeoutMs = 30_000

/** A server that runs as a child of ours. */
export interface ChildServer extends AsyncDisposable {
  readonly port: number
  /** The whole first line. */
  readonly said: Line
  readonly pids: readonly number[]
}

/** Starts a child that prints `{"port":…}` as its first line, and waits for that line. */
export async function startChildServer(options: ChildOptions): Promise<ChildServer> {
  const child = startChild(options)
  try {
    const said = await child.nextLine(startTimeoutMs)
    return {
      port: numberOf(said, 'port'),
      said,
      pids: [child.pid],
      [Symbol.asyncDispose]: () => child[Symbol.asyncDispose](),
    }
  } catch (error) {
    await child[Symbol.asyncDispose]()
    throw error
  }
}
