import { requestIdOf, type Shown } from './request-message.ts'

/** The open requests that one connection was shown, by their sessions. */
export class KnownRequests {
  readonly #sessions = new Map<string, Map<string, Shown>>()
  #size = 0

  get size(): number {
    return this.#size
  }

  set(shown: Shown): void {
    const { session, approval } = shown
    const own = this.#sessions.get(session) ?? new Map<string, Shown>()
    if (!own.has(approval)) this.#size += 1
    this.#sessions.set(session, own.set(approval, shown))
  }

  get(session: string, approval: string): Shown | undefined {
    return this.#sessions.get(session)?.get(approval)
  }

  /** Of one session. */
  of(session: string): readonly Shown[] {
    return [...(this.#sessions.get(session)?.values() ?? [])]
  }

  delete(session: string, approval: string): void {
    const own = this.#sessions.get(session)
    if (!own?.delete(approval)) return
    this.#size -= 1
    if (own.size === 0) this.#sessions.delete(session)
  }

  /** Takes those of one project out. */
  deleteProject(project: string): readonly (Shown & { requestId: string })[] {
    const lost = [...this.#sessions.values()]
      .flatMap((own) => [...own.values()])
      .filter((one) => one.project === project)
    for (const { session, approval } of lost) this.delete(session, approval)
    return lost.map((one) => ({ ...one, requestId: requestIdOf(one) }))
  }
}
