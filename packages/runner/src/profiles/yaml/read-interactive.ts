import {
  autoExitForms,
  type Interactive,
  interactiveDefaults,
  type OutputCapture,
  readAutoExit,
} from '../interactive.ts'
import type { Fields } from './fields.ts'

/** What the block `interactive` may say. */
export const interactiveKeys = ['enabled', 'output_capture', 'allow_human_input', 'auto_exit_on', 'resume_cmd'] as const

/** Reads the block `interactive`; what it does not say has its default. */
export function readInteractive(
  fields: Fields,
  capture: OutputCapture | undefined,
  readCommand: (key: 'resume_cmd') => readonly string[] | undefined,
): Interactive {
  const exit = readExit(fields)
  const resumeArgv = readCommand('resume_cmd')
  return {
    enabled: fields.flag('enabled') ?? interactiveDefaults.enabled,
    outputCapture: capture ?? interactiveDefaults.outputCapture,
    allowHumanInput: fields.flag('allow_human_input') ?? interactiveDefaults.allowHumanInput,
    ...(exit === undefined ? {} : { autoExit: exit }),
    ...(resumeArgv === undefined ? {} : { resumeArgv }),
  }
}

function readExit(fields: Fields): Interactive['autoExit'] {
  if (fields.isBlock('auto_exit_on')) {
    fields.say('auto_exit_on', `"auto_exit_on" is one text: ${autoExitForms}.`)
    return undefined
  }
  const text = fields.text('auto_exit_on')
  const exit = text === undefined ? undefined : readAutoExit(text)
  if (text !== undefined && exit === undefined) {
    fields.say('auto_exit_on', `"auto_exit_on" has to be ${autoExitForms}; a week is the most.`)
  }
  return exit
}
