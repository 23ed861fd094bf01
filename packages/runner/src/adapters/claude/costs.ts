import type { Usage } from '@hotline/core/session/state'
import type { ModelUsage } from '../adapter.ts'
import type { AssistantLine, ResultLine } from './schema.ts'

/**
 * What a session used so far. The agent counts from the start of its process; what an earlier process of the same session
 * had counted is added.
 */
export class Costs {
  readonly #before: Usage
  #contextUsed = 0

  constructor(before: Usage | undefined) {
    this.#before = before ?? {}
  }

  /** The model read so much for what it says now. */
  read({ usage }: AssistantLine['message']): void {
    if (!usage) return
    const used = usage.input_tokens + usage.cache_read_input_tokens + usage.cache_creation_input_tokens
    if (used > 0) this.#contextUsed = used
  }

  /** Undefined where the end of a turn tells nothing. */
  told({ total_cost_usd: total, modelUsage }: ResultLine): (Usage & { models: readonly ModelUsage[] }) | undefined {
    const told = Object.entries(modelUsage ?? {})
    if (told.length === 0 && (total ?? 0) === 0) return undefined
    const models = told.map(([model, used]) => ({
      model: model.slice(0, 200),
      inputTokens: used.inputTokens + used.cacheReadInputTokens + used.cacheCreationInputTokens,
      outputTokens: used.outputTokens,
      costUsd: used.costUSD,
    }))
    const contextSize = Math.max(0, ...told.map(([, { contextWindow }]) => contextWindow ?? 0))
    const { inputTokens = 0, outputTokens = 0, cost } = this.#before
    return {
      inputTokens: models.reduce((sum, model) => sum + model.inputTokens, inputTokens),
      outputTokens: models.reduce((sum, model) => sum + model.outputTokens, outputTokens),
      ...(this.#contextUsed > 0 ? { contextUsed: this.#contextUsed } : {}),
      ...(contextSize > 0 ? { contextSize } : {}),
      cost: { amount: (cost?.currency === 'USD' ? cost.amount : 0) + (total ?? 0), currency: 'USD' },
      models,
    }
  }
}
