import { fileURLToPath } from 'node:url'
import type { AgentProfile } from '../src/profiles/profile.ts'

/** A line of the protocol. */
export type Line = Record<string, unknown>

/** How the fake differs from a well-behaved Claude Code. Given as JSON in its first argument. */
export interface Fakery {
  /** The mode that it comes up in, whatever it is told. */
  mode?: string
  /** The mode that it names at the beginning of each turn. */
  turnMode?: string
  refuseMode?: boolean
  /** Says yes to a mode and stays as it is. */
  keepMode?: boolean
  account?: Line
  commands?: readonly { name: string; builtin?: boolean }[]
  /** Never answers the handshake. */
  mute?: boolean
  /** On stderr, at the handshake. */
  lastWords?: string
  dieAtStart?: number
  /** False: it does not tell what becomes of messages, as old versions. */
  lifecycle?: boolean
  /** False: it knows no hooks. */
  hooks?: boolean
  /** A turn of its own comes between the arrival of each message and its beginning. */
  ownFirst?: boolean
  /** Milliseconds until a turn is under way. */
  lateInit?: number
  /** How many wishes to stop it does not hear. */
  deaf?: number
  /** What the end of each turn says otherwise. */
  result?: Line
}

/** What it does in a turn, one after another. */
export type Act =
  | { do: 'say'; text: string; pieces?: number }
  | {
      do: 'ask'
      tool: string
      input?: Line
      suggestions?: readonly Line[]
      onAllow?: readonly Act[]
      /** The call of the sub-agent that asks. */
      parent?: string
      /** False: nothing names the call before the request. */
      announce?: boolean
      /** The same request so often. */
      times?: number
      /** Raw lines right after the request. */
      after?: readonly string[]
      /** `tool_use_result` of what was allowed. */
      result?: Line
    }
  | { do: 'write'; path: string; content?: string }
  /** A raw line. Filled in: `$SESSION`; `$CALL` and `$REQUEST` of the last ask. */
  | { do: 'raw'; line: string; times?: number }
  | { do: 'long'; bytes: number }
  /** A turn of its own, after this one. */
  | { do: 'later'; acts: readonly Act[] }
  /** Waits for something that is said into the turn, and repeats it. */
  | { do: 'listen' }
  | { do: 'die'; code: number }
  | { do: 'spawn' }
  | { do: 'hang' }

/** How the fake is started. */
export function fakeClaude(fakery: Fakery = {}): readonly string[] {
  return [process.execPath, fileURLToPath(new URL('fake-claude.ts', import.meta.url)), JSON.stringify(fakery)]
}

/** A profile of it. */
export function fakeClaudeProfile(fakery: Fakery = {}): AgentProfile {
  return {
    agent: 'fake',
    name: 'Fake',
    description: '',
    adapter: 'claude',
    argv: fakeClaude(fakery),
    asking: { by: 'mode', modes: ['default', 'plan'] },
    hint: '',
  }
}

/** A prompt that makes it do something. */
export function acts(...list: Act[]): string {
  return JSON.stringify(list)
}
