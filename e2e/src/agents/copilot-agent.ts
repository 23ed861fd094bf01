import type { RealAgent } from './agent-place.ts'

/** GitHub Copilot, with a model on loopback in place of its own. */
export const copilotAgent: RealAgent = {
  agent: 'copilot',
  packages: ['copilot'],
  prepare: ({ openaiUrl }) => ({
    COPILOT_OFFLINE: 'true',
    COPILOT_PROVIDER_BASE_URL: openaiUrl,
    COPILOT_PROVIDER_API_KEY: 'test',
    COPILOT_PROVIDER_TYPE: 'openai',
    COPILOT_MODEL: 'gpt-5',
  }),
}
