/** What people do to an agent that asks nothing, has no turn that could be stopped, and no modes. */
export abstract class AsksNothing {
  /** A sentence for whoever sets a mode. */
  protected abstract readonly withoutModes: string

  answer(): Promise<'stale'> {
    return Promise.resolve('stale')
  }

  dismiss(): Promise<void> {
    return Promise.resolve()
  }

  answerQuestion(): Promise<'stale'> {
    return Promise.resolve('stale')
  }

  interrupt(): Promise<void> {
    return Promise.resolve()
  }

  setMode(): Promise<void> {
    return Promise.reject(new Error(this.withoutModes))
  }
}
