/** A command that has no answer yet. */
export interface WaitingCommand {
  id: string
  stream: string
  type: string
  data: unknown
}

/** Where commands wait until they are answered. An implementation that outlives the page brings them back after a reload. */
export interface Outbox {
  /** Keeps a command before it is sent for the first time. The same id again changes nothing. */
  put(command: WaitingCommand): Promise<void>
  remove(id: string): Promise<void>
  /** In the order they were put. */
  all(): Promise<readonly WaitingCommand[]>
}

/** Forgets with the process. */
export function memoryOutbox(): Outbox {
  const waiting = new Map<string, WaitingCommand>()
  return {
    put: (command) => {
      if (!waiting.has(command.id)) waiting.set(command.id, command)
      return Promise.resolve()
    },
    remove: (id) => {
      waiting.delete(id)
      return Promise.resolve()
    },
    all: () => Promise.resolve([...waiting.values()]),
  }
}
