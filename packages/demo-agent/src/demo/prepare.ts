import type { Step } from '../script.ts'
import { ensureScratchProject, pickFile, resolveInside } from '../workspace.ts'
import { helpAct, longAct, noteAct, outsideAct, planAct, proseAct, questionAct, runAct, writeAct } from './acts.ts'
import { makeVoice } from './pace.ts'
import type { Voice } from './pace.ts'
import { tourSteps } from './tour.ts'
import { parseRequest } from './words.ts'
import type { Word } from './words.ts'

/** One prompt to the demonstration. */
export interface DemoPrompt {
  text: string
  cwd: string
  pace: number
  /** Whether it is the first of the session: then anything that is no word of ours gets the tour. */
  first: boolean
}

/** Turns a prompt to the demonstration into steps. Makes the scratch project if cwd is empty. */
export async function prepareDemo({ text: whole, cwd, pace, first }: DemoPrompt): Promise<Step[]> {
  const voice = makeVoice(pace)
  const scratch = await ensureScratchProject(cwd)
  const { note, text } = splitNote(whole)
  const request = parseRequest(text)
  const at = new Date()
  if (note !== '' && text === '') return noteAct(voice, note)
  if (!request && !first) return proseAct(voice, text)
  const acts: Record<Word, () => Step[] | Promise<Step[]>> = {
    tour: async () => tourSteps(voice, { cwd, scratch, file: await pickFile(cwd), at }),
    ask: () => writeAct(voice, 'asked.md', at),
    write: () => prepareWrite(voice, cwd, request?.argument ?? 'hello.md', at),
    run: () => runAct(voice, request?.argument ?? 'node', cwd),
    plan: () => planAct(voice),
    long: () => longAct(pace),
    question: () => questionAct(voice),
    help: () => helpAct(voice),
  }
  return acts[request?.word ?? 'tour']()
}

/** What Hotline says in front of a person's words, or instead of any, is no request. */
function splitNote(prompt: string): { note: string; text: string } {
  if (!prompt.startsWith('[Hotline] ')) return { note: '', text: prompt }
  const [note = '', ...rest] = prompt.slice('[Hotline] '.length).split('\n\n')
  return { note, text: rest.join('\n\n').trim() }
}

async function prepareWrite(voice: Voice, cwd: string, path: string, at: Date): Promise<Step[]> {
  try {
    await resolveInside(cwd, path)
    return writeAct(voice, path, at)
  } catch {
    return outsideAct(voice, path)
  }
}
