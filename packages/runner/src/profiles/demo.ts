import { fileURLToPath } from 'node:url'
import type { AgentProfile } from './profile.ts'

/** The demonstration agent. `argv`: how it is started, where it is installed. */
export function demoProfile(argv: readonly string[] | undefined): AgentProfile {
  return {
    agent: 'demo',
    name: 'Demo agent',
    description: 'A demonstration without a model and without a key: it explains itself, asks and waits for answers',
    adapter: 'acp',
    argv: argv ?? [],
    env: ['HOTLINE_DEMO_SCRIPT', 'HOTLINE_DEMO_JOURNAL', 'HOTLINE_DEMO_PACE', 'HOTLINE_DEMO_STATE'],
    asking: { by: 'mode', modes: ['ask'] },
    allowAlways: 'session',
    hasScratch: true,
    hint: 'The demonstration agent is not installed here.',
  }
}

/** How it is started; undefined where it is not installed. */
export function findDemo(): readonly string[] | undefined {
  try {
    const main = import.meta.resolve('@hotline/demo-agent/main')
    return [process.execPath, fileURLToPath(new URL('../bin/demo-agent.js', main))]
  } catch {
    return undefined
  }
}
