import { modeMark, modeMeanings } from '@hotline/core/policy/mode-words'
import type { SessionEvidence } from '@hotline/protocol/evidence'
import { handsFreeMinutes, type PolicyModeName } from '@hotline/protocol/policy-mode'
import type { Command } from 'commander'
import { inLine } from '../approval-card.ts'
import { fail } from '../failure.ts'
import type { CommandContext } from './context.ts'

/** The modes as people type them. */
const modes: ReadonlyMap<string, PolicyModeName> = new Map([
  ['ask', 'ask'],
  ['edits', 'edits_free'],
  ['hands-free', 'hands_free'],
])

/** `mode`: what is asked in a session, and what is not. */
export function addModeCommand(program: Command, context: CommandContext): void {
  program
    .command('mode')
    .description(
      'what a session asks: ask (everything), edits (changes to files in its folder are free), hands-free (for a while, all but what could do lasting harm)',
    )
    .argument('<session>', 'id, or the beginning of it')
    .argument('[mode]', `${[...modes.keys()].join(', ')} (default: says which it is)`)
    .option(
      '--minutes <minutes>',
      `how long it is hands-free (default: ${handsFreeMinutes.usual}, at most ${handsFreeMinutes.most})`,
    )
    .action(async (text: string, name: string | undefined, options: { minutes?: string }) => {
      const server = context.server()
      const { session } = await server.findSession(text)
      if (name === undefined) {
        if (options.minutes !== undefined) throw fail('invalid_request', '--minutes goes with: hands-free.')
        const { policyMode } = await server.get<SessionEvidence>(`/api/sessions/${session}/evidence`)
        const names = await server.names()
        const mark = modeMark(policyMode, Date.now())
        const by = policyMode ? `, by @${inLine(names.get(policyMode.by.id) ?? policyMode.by.id)}` : ''
        return context.print(policyMode, mark === undefined ? 'everything is asked\n' : `${mark}${by}\n`)
      }
      const mode = modes.get(name)
      if (mode === undefined) throw fail('invalid_request', `A mode is ask, edits or hands-free, not "${name}".`)
      const minutes = minutesOf(options.minutes)
      if (minutes !== undefined && mode !== 'hands_free') {
        throw fail('invalid_request', '--minutes goes with: hands-free.')
      }
      const data = mode === 'hands_free' ? { mode, ...(minutes === undefined ? {} : { minutes }) } : { mode }
      const accepted = await server.command(`session:${session}`, 'policy.set_mode', data)
      const forHow = mode === 'hands_free' ? ` For ${minutes ?? handsFreeMinutes.usual} minutes.` : ''
      context.print(accepted, `${modeMeanings[mode]}${forHow}\n`)
    })
}

function minutesOf(text: string | undefined): number | undefined {
  if (text === undefined) return undefined
  const minutes = Number(text)
  if (/^[0-9]{1,4}$/.test(text) && minutes >= 1 && minutes <= handsFreeMinutes.most) return minutes
  throw fail('invalid_request', `--minutes takes a whole number from 1 to ${handsFreeMinutes.most}, not "${text}".`)
}
