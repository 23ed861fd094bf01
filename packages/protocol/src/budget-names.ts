/** What a session may use up: time at work, tool calls, bytes that it prints, room on the disk, cost. */
export const budgetNames = ['timeMs', 'toolCalls', 'outputBytes', 'diskBytes', 'costUsd'] as const
