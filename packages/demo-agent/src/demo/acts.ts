import type { Step } from '../script.ts'
import type { Voice } from './pace.ts'
import { WORD_LIST } from './words.ts'

/** Commands that the demonstration offers to run: harmless, and the same for everybody. */
const COMMANDS: ReadonlyMap<string, string[]> = new Map([
  ['node', ['node', '--version']],
  ['ls', ['ls', '-la']],
])

const LONG_LINES = 60
const LONG_LINE_MS = 1_000

/** Asks for permission to write a file and writes it. */
export function writeAct(voice: Voice, path: string, at: Date): Step[] {
  const content = `# ${path}\n\nWritten by the Hotline demo agent at ${at.toISOString()}, because somebody allowed it.\n`
  return [
    voice.say(`I would like to write ${path}. You see exactly what goes into it before you decide.`),
    {
      do: 'ask',
      title: `Write ${path}`,
      kind: 'edit',
      input: { path, content },
      onAllow: [{ do: 'write', path, content }, voice.say(`Allowed, and done: ${path} is written.`)],
      onDeny: [voice.say(`You refused, so I wrote nothing: ${path} stays as it was. I go on without it.`)],
    },
  ]
}

/** What is said instead of writing where the agent may not. */
export function outsideAct(voice: Voice, path: string): Step[] {
  return [voice.say(`I keep to this session's working folder, and ${path} is not inside it. So I do not even ask.`)]
}

/** Asks for permission to run a command and runs it. */
export function runAct(voice: Voice, name: string, cwd: string): Step[] {
  const argv = COMMANDS.get(name)
  if (!argv) return [voice.say(`I only run what I know to be harmless: ${[...COMMANDS.keys()].join(' or ')}.`)]
  const command = argv.join(' ')
  return [
    {
      do: 'ask',
      title: `Run ${command}`,
      kind: 'execute',
      input: { command, cwd },
      onAllow: [{ do: 'run', argv }, voice.say('That was the real output of a real process, started without a shell.')],
      onDeny: [voice.say(`You refused, so ${command} did not run. I go on without it.`)],
    },
  ]
}

/** A plan whose entries get done one after another. */
export function planAct(voice: Voice): Step[] {
  const entries = ['Show a plan', 'Work on it', 'Have it done']
  const steps = [0, 1, 2, 3].flatMap((done) => [planStep(entries, done), voice.pause(1_200)])
  return [voice.say('A plan is a list that changes while I work:'), ...steps, voice.say('All done.')]
}

/** The plan of the given entries with the first `done` completed and the next in progress. */
export function planStep(entries: readonly string[], done: number): Step {
  const status = (index: number): 'completed' | 'in_progress' | 'pending' => {
    if (index < done) return 'completed'
    return index === done ? 'in_progress' : 'pending'
  }
  return { do: 'plan', entries: entries.map((content, index) => ({ content, status: status(index) })) }
}

/** A minute of slow text. */
export function longAct(pace: number): Step[] {
  const count = (n: number): string => `${n} of ${LONG_LINES}: still working; write to me, or cancel.`
  // Equal lengths make one chunk of each line: see how `say` cuts. Spaces before a line would make code of it.
  const lines = Array.from({ length: LONG_LINES }, (_, n) => `${count(n + 1).padEnd(60)}\n`)
  return [{ do: 'say', text: lines.join(''), chunks: LONG_LINES, delayMs: LONG_LINE_MS * pace }]
}

/** A question with a choice. */
export function questionAct(voice: Voice): Step[] {
  return [
    {
      do: 'question',
      message: 'Which colour should the scratch project have?',
      schema: {
        properties: { colour: { type: 'string', title: 'Colour', enum: ['red', 'green', 'blue'] } },
        required: ['colour'],
      },
      onAccept: [voice.say('You answered: {{answer}}. I waited for exactly that.')],
      onDecline: [voice.say('You did not want to answer, which is an answer too. I go on without one.')],
    },
  ]
}

/** The list of words. */
export function helpAct(voice: Voice): Step[] {
  return [voice.say('I am a demonstration: a script, no model. These words I know:'), { do: 'say', text: WORD_LIST }]
}

/** An answer to what Hotline tells on behalf of a person, such as why something was refused. */
export function noteAct(voice: Voice, note: string): Step[] {
  return [voice.say(`Hotline told me: ${note} A model would take that into account; I only show that it arrives.`)]
}

/** An answer to prose, which a script cannot understand. */
export function proseAct(voice: Voice, text: string): Step[] {
  const quote = text.length > 200 ? `${text.slice(0, 200)}...` : text
  return [
    voice.say(`Your message arrived: "${quote}". I am a script without a model, so I cannot make sense of it. `),
    { do: 'say', text: `But I know these words:\n${WORD_LIST}` },
  ]
}
