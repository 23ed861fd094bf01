import { z } from 'zod'
import { commandData, CommandEnvelope, commandTypes } from './command.ts'

/** Every command in whole, each type with its own data: what documents show. Reading goes by `parseCommand`. */
export const AnyCommand = z.union(
  commandTypes.map((type) => CommandEnvelope.extend({ type: z.literal(type), data: commandData[type] })),
)
