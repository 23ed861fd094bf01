import type { LineStats } from '@hotline/protocol/agent-line'

interface Line {
  name: string
  session: string
  project: string
}

/** The lines of agents that are open now. */
export class AgentLines {
  readonly #open = new Set<Line>()

  /** The answer takes it out again. */
  add(line: Line): () => void {
    const own = { ...line }
    this.#open.add(own)
    return () => this.#open.delete(own)
  }

  /** Those to sessions of these projects. */
  stats(projects: readonly string[]): LineStats {
    const seen = [...this.#open].filter(({ project }) => projects.includes(project))
    const agents = new Map<string, number>()
    const sessions = new Map<string, LineStats['sessions'][number]>()
    for (const { name, session } of seen) {
      agents.set(name, (agents.get(name) ?? 0) + 1)
      const key = `${session} ${name}`
      const known = sessions.get(key) ?? { session, agent: name, connections: 0 }
      sessions.set(key, { ...known, connections: known.connections + 1 })
    }
    return { total_connections: seen.length, agents: Object.fromEntries(agents), sessions: [...sessions.values()] }
  }
}
