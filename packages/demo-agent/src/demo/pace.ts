import type { Step } from '../script.ts'

/** Speaking and pausing at the demonstration's pace. */
export interface Voice {
  say(text: string): Step
  think(text: string): Step
  pause(ms: number): Step
}

/** About how fast a model streams: so many characters in a piece, so long between pieces. */
const PIECE_CHARS = 9
const PIECE_MS = 125

/** A voice at human pace (1), stretched, or without pauses (0). */
export function makeVoice(pace: number): Voice {
  const speech = (text: string): { text: string; chunks: number; delayMs: number } => {
    return { text, chunks: Math.max(1, Math.ceil(text.length / PIECE_CHARS)), delayMs: PIECE_MS * pace }
  }
  return {
    say: (text) => ({ do: 'say', ...speech(text) }),
    think: (text) => ({ do: 'think', ...speech(text) }),
    pause: (ms) => ({ do: 'wait', ms: ms * pace }),
  }
}
