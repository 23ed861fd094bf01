import type { Holder } from '../../process/holder.ts'
import { type AgentDriver, type AgentSession, StartError, type StartSpec } from '../adapter.ts'
import { PipeSession } from './pipe-session.ts'

/** Starts any program by lines: what people write goes to its input, and what it prints comes out, without a terminal. */
export const pipeDriver: AgentDriver = {
  adapter: 'pipe',
  async start(spec: StartSpec, holder: Holder, signal: AbortSignal): Promise<AgentSession> {
    if (signal.aborted) throw new StartError('The start was called off.')
    const { session, argv, cwd, env, run } = spec
    const held = await holder.start({ session, argv, cwd, env, run, pipes: 'kernel' }).catch((cause: unknown) => {
      throw new StartError(`"${argv[0]}" could not be started: ${String(cause)}`, { cause })
    })
    return new PipeSession(held)
  },
}
