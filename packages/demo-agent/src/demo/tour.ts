import type { Step } from '../script.ts'
import { planStep, runAct, writeAct } from './acts.ts'
import type { Voice } from './pace.ts'

/** What the tour finds in the session's cwd. */
export interface TourSetting {
  cwd: string
  /** Whether the folder was empty, so that the agent put a scratch project into it. */
  scratch: boolean
  /** The file to read; null when there is none. */
  file: string | null
  at: Date
}

const PLAN = ['Look around', 'Write a file (I ask first)', 'Run a command (I ask first)', 'Say what to try next']

/** The guided tour: at human pace about 25 seconds, and as long as the person thinks about two permissions. */
export function tourSteps(voice: Voice, setting: TourSetting): Step[] {
  const { cwd, scratch, file, at } = setting
  const folder = scratch ? 'a scratch project that I just made in an empty folder' : 'this session’s working folder'
  return [
    voice.say(
      'This is a demonstration. I am a scripted agent: no model, no key, no cost; all I say was written beforehand. ' +
        'The rest is real: I am a process of my own, and my files, commands and questions are real ones.',
    ),
    voice.say(
      'Hotline is the direct line between you and agents like me. You watch while I work, write to me at any time, ' +
        `and decide what I may do. Close the page if you like; I go on. I work in ${folder}, and nowhere else.`,
    ),
    planStep(PLAN, 0),
    voice.pause(2_500),
    ...(file === null ? [] : [{ do: 'read', path: file } as const]),
    voice.pause(2_000),
    voice.think('An agent thinks before it acts. A scripted one pretends to: the next step of the plan is a file.'),
    planStep(PLAN, 1),
    voice.pause(2_000),
    ...writeAct(voice, 'greeting.md', at),
    planStep(PLAN, 2),
    voice.pause(2_000),
    ...runAct(voice, 'node', cwd),
    planStep(PLAN, 3),
    voice.say(
      'That was the tour. Write "long" and send me something while I talk, or cancel me. Try "write hello.md", ' +
        '"run", "question" or "plan"; "help" lists all.',
    ),
    planStep(PLAN, PLAN.length),
  ]
}
