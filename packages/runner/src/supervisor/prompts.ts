import { randomUUID } from 'node:crypto'
import type { Quote } from '@hotline/protocol/events/message'
import type { QueuedMessage } from '@hotline/core/session/state'
import type { AgentSession, Picture, Said } from '../adapters/adapter.ts'
import type { Log } from '../log.ts'
import type { Spool } from '../spool/spool.ts'
import { type AttachedFiles, filesNote, type GivenFile, typedPaths } from './attached-files.ts'
import type { Reporter } from './reporter.ts'
import type { Notes, SessionLog } from './session-log.ts'

/** After something here failed (a full disk), the next try to hand a message over. */
const retryMs = 5_000

/** Files that are named to an agent; of more it hears how many. */
const namedMax = 50

/** Bytes of a picture that goes to a model itself; a larger one is named like every other file. */
const pictureBytes = 3_500_000

/** Refusals that are told with the next message; of more, the agent has heard that they were refused. */
const unheardMax = 50

/** What the queue of an agent works with. */
export interface PromptPorts {
  session: string
  agent: AgentSession
  sessionLog: SessionLog
  /** Brings what comes with a message. */
  attached: Pick<AttachedFiles, 'fetch'>
  reporter: Reporter
  spool: Pick<Spool, 'intend' | 'conclude'>
  log: Log
  /** False while the agent has a turn, or is not there. */
  isFree: () => boolean
  /** The turn that runs, and into which something can be said; undefined also while it is being stopped. */
  running: () => string | undefined
  /** False: what the session was started with is all that the agent hears. */
  takesInput: boolean
  /** Before a turn begins; the agent hears of it afterwards. */
  beforeTurn: (turn: string) => Promise<void>
  /** A turn begins now, before the agent hears of it. */
  onTurn: (turn: string, message: string | undefined) => void
}

/** Claimed for a turn that did not take it any more. */
export interface Left {
  message: string
  text: string
  intent: string
  pictures?: readonly Picture[] | undefined
}

/** Hands people's messages to an agent, one at a time; where there are none, what it has not heard otherwise. */
export class Prompts {
  readonly #ports: PromptPorts
  /** Messages that are done with, whatever a log says that is behind, or that was restored from a backup. */
  readonly #given = new Set<string>()
  /** The log refused a claim for something that has not been read here yet: until it is, another one is of no use. */
  #isBehind = false
  /** Changes of the queue that were read. */
  #changes = 0
  /** Reasons of refusals that the agent did not hear. */
  #unheard: string[] = []
  /** It goes before everything else when the agent is free: the log says already that the agent gets it. */
  #left: Left | undefined
  #isBusy = false

  constructor(ports: PromptPorts) {
    this.#ports = ports
  }

  /** Something was refused with a reason, and the agent cannot hear that with the answer. */
  tellLater(title: string, reason: string, by: 'person' | 'hotline'): void {
    const why = by === 'hotline' ? reason : `The person says: ${reason}`
    if (this.#ports.takesInput && this.#unheard.length < unheardMax)
      this.#unheard.push(`[Hotline] "${title}" was refused. ${why}`)
  }

  /** The person wants quiet: what was to be told is not told. */
  tellNothing(): void {
    this.#unheard = []
  }

  /** An earlier life has handed it over. */
  wasGiven(message: string | undefined): void {
    if (message !== undefined) this.#given.add(message)
    this.#unheard = []
  }

  /** What an earlier life was about to hand over, and the agent does not have. Nothing else is handed over meanwhile. */
  handOver(turn: string, message: string | undefined, text: string, pictures: readonly Picture[] = []): void {
    if (message !== undefined) this.#given.add(message)
    const { told } = this.#ports.sessionLog.wanted
    const note = told && told.message === message ? noteOf(told) : undefined
    this.#alone(this.#prompt(turn, message, note === undefined ? text : this.#withNote(note, text), pictures))
  }

  /** What an earlier life could not say into a turn. */
  leave(left: Left): void {
    this.#given.add(left.message)
    this.#left = left
    this.pump()
  }

  /** Something is being handed over. */
  get isBusy(): boolean {
    return this.#isBusy || this.#left !== undefined
  }

  /** The agent is gone. */
  over(): void {
    const left = this.#left
    this.#left = undefined
    if (!left) return
    this.#ports.reporter.put({ type: 'message.delivery_unknown', data: { message: left.message } })
    this.#ports.spool.conclude(left.intent)
  }

  /** Something about the queue was read. */
  changed(): void {
    this.#changes += 1
    this.#isBehind = false
    this.pump()
  }

  /** The queue was read anew, of a log that may be older: what the agent has by then does not wait, whatever it says. */
  readAnew(): void {
    for (const { message } of this.#ports.sessionLog.state?.queue ?? []) {
      if (this.#given.has(message)) this.#ports.reporter.put({ type: 'message.delivery_unknown', data: { message } })
    }
    this.changed()
  }

  /** Hands the next one over, if the agent can take it. To be called whenever that may have changed. */
  pump(): void {
    const { agent, sessionLog, isFree, running, takesInput } = this.#ports
    const { state } = sessionLog
    if (this.#isBusy || state?.status !== 'active' || state.ending) return
    // Nothing reaches it: a message waits, and the end of the session says that nobody read it.
    if (agent.capabilities.input === 'none') return
    const may = ({ message }: QueuedMessage): boolean => takesInput || message === sessionLog.wanted.start
    const next = state.queue.find((queued) => !this.#given.has(queued.message) && may(queued))
    if (!isFree()) {
      const turn = agent.capabilities.steer === true && !this.#left ? running() : undefined
      if (turn !== undefined && next?.hurried === true && !this.#isBehind) this.#alone(this.#claim(next, turn))
    } else if (this.#left) {
      const left = this.#left
      this.#left = undefined
      this.#alone(this.#handLeft(left))
    } else if (next) {
      // What the person wrote goes before what we would say for them.
      this.#unheard = []
      if (!this.#isBehind) this.#alone(this.#claim(next, undefined))
    } else if (this.#unheard.length > 0) {
      const text = this.#unheard.join('\n')
      this.#unheard = []
      this.#alone(this.#tell(text))
    }
  }

  #alone(work: Promise<void>): void {
    this.#isBusy = true
    const free = (): void => {
      this.#isBusy = false
      this.pump()
    }
    work.then(free, (error: unknown) => {
      const { session, log } = this.#ports
      log.error('message not handed over', { session, error: String(error) })
      setTimeout(free, retryMs).unref()
    })
  }

  /**
   * First the intent, then the claim, then the agent: whoever changes or withdraws the message in between wins or loses
   * cleanly, and after a crash nobody sends it a second time. The claim names the text that was read here, and counts only
   * while the log has that one: so the agent gets what the log says, however long the claim was on its way. `into`: the turn
   * that runs and that it is said into; otherwise it begins one.
   */
  async #claim({ message, edits }: QueuedMessage, into: string | undefined): Promise<void> {
    const { reporter, spool, sessionLog, agent, attached, isFree, running } = this.#ports
    const isTurn = agent.capabilities.input === 'turns'
    const named = sessionLog.filesOf(message)
    let files: readonly GivenFile[] = []
    if (named.length > 0) {
      const before = this.#changes
      files = await attached.fetch(message, named)
      // What was to be done may be something else by now.
      if (before !== this.#changes || (into === undefined ? !isFree() : running() !== into)) return
    }
    const said = sessionLog.textOf(message)
    const text = said === undefined ? undefined : isTurn ? this.#told(message, said, files) : withPaths(said, files)
    const pictures = isTurn ? files.flatMap(pictureOf) : []
    // What is claimed is what the log knows; that it was claimed takes the note away.
    const note = noteOf(sessionLog.wanted)
    const changes = this.#changes
    const turn = into ?? randomUUID()
    const intent = await spool.intend({
      what: 'prompt',
      message,
      turn,
      ...(text === undefined ? {} : { text }),
      ...(into === undefined ? {} : { steer: true }),
      ...(pictures.length === 0 ? {} : { pictures: [...pictures] }),
    })
    const fate = await reporter.ask({
      type: 'message.delivered',
      data: { message, ...(isTurn ? { turn } : {}), ...(edits === undefined ? {} : { edits }) },
    })
    if (fate === 'kept') {
      this.#given.add(message)
      // What was erased is not handed over.
      if (text !== undefined && into === undefined) {
        await this.#prompt(turn, message, note === undefined ? text : this.#withNote(note, text), pictures)
      } else if (text !== undefined && !(await this.#say({ turn, message, text, pictures }))) {
        this.#left = { message, text, intent, pictures }
        return
      }
    } else this.#isBehind = changes === this.#changes
    spool.conclude(intent)
  }

  /** What a message replies to, and what comes with it, before its words. Into a program only what a person wrote is typed. */
  #told(message: string, said: string, files: readonly GivenFile[]): string {
    const quote = this.#ports.sessionLog.quoteOf(message)
    const withFiles = files.length === 0 ? said : withMark(filesNote(files), said)
    return quote === undefined ? withFiles : withMark(replyNote(quote), withFiles)
  }

  /** The person's words stay as they are; what stands before them is marked as ours, and is in the log as well. */
  #withNote(note: string, text: string): string {
    this.#ports.reporter.output('log', `Told to the agent with this message: ${note}\n`)
    return withMark(note, text)
  }

  /** False where the agent did not hear it: the turn was over, or it takes nothing in this one. */
  async #say(said: Said): Promise<boolean> {
    const { message } = said
    const { agent, reporter, session, log } = this.#ports
    try {
      return (await agent.steer?.(said)) === true
    } catch (error) {
      log.warn('message into a turn not handed over', { session, error: String(error) })
      reporter.put({ type: 'message.delivery_unknown', data: { message } })
      return true
    }
  }

  async #handLeft({ message, text, intent, pictures }: Left): Promise<void> {
    await this.#prompt(randomUUID(), message, text, pictures)
    this.#ports.spool.conclude(intent)
  }

  /** What a person said in refusing goes on as a message of its own, marked as what it is, and stands in the log. */
  async #tell(text: string): Promise<void> {
    const { reporter, spool } = this.#ports
    const turn = randomUUID()
    const intent = await spool.intend({ what: 'prompt', turn, text })
    reporter.output('log', `Sent to the agent: ${text}\n`)
    await this.#prompt(turn, undefined, text)
    spool.conclude(intent)
  }

  async #prompt(
    turn: string,
    message: string | undefined,
    text: string,
    pictures: readonly Picture[] = [],
  ): Promise<void> {
    const { agent, reporter, onTurn, beforeTurn, session, log, sessionLog } = this.#ports
    if (agent.capabilities.input === 'turns') {
      await beforeTurn(turn)
      onTurn(turn, message)
      const isTold = sessionLog.state?.turn?.turn === turn
      if (!isTold) reporter.put({ type: 'turn.started', data: { turn, ...(message === undefined ? {} : { message }) } })
    }
    try {
      await agent.prompt(turn, text, message, pictures)
    } catch (error) {
      // It ended while it was being told: its end follows, and nobody can say whether it heard.
      log.warn('prompt not handed over', { session, error: String(error) })
      if (message !== undefined) reporter.put({ type: 'message.delivery_unknown', data: { message } })
    }
  }
}

/** A command of the agent's own has to stand first. */
function withMark(note: string, text: string): string {
  if (text === '') return `[Hotline] ${note}`
  return text.startsWith('/') ? `${text}\n\n[Hotline] ${note}` : `[Hotline] ${note}\n\n${text}`
}

function withPaths(text: string, files: readonly GivenFile[]): string {
  return [text, typedPaths(files)].filter((part) => part !== '').join(' ')
}

/** What a model can be shown as it is. */
function pictureOf(file: GivenFile): readonly Picture[] {
  const isShown = file.type.startsWith('image/') && file.bytes <= pictureBytes && 'path' in file
  return isShown ? [{ path: file.path, type: file.type }] : []
}

/** What the person replies to: in quotes on one line, so that it can pose as nothing else. It is in the log with the message. */
function replyNote({ role, text }: Quote): string {
  const whose = { agent: 'what you said', person: 'what a person said', system: 'a notice of Hotline' }[role]
  return `This replies to ${whose}: ${JSON.stringify(text)}`
}

/** What the agent has to know before it reads the message. */
function noteOf({ recap, restored, discarded = [] }: Notes): string | undefined {
  const notes = [recap, undoneNote(restored), ...discarded.map(discardedNote)].filter((note) => note !== undefined)
  return notes.length === 0 ? undefined : notes.join('\n\n')
}

/** That a person does not want some of its changes, and why. */
function discardedNote({ paths, reason }: NonNullable<Notes['discarded']>[number]): string {
  const names = paths.slice(0, namedMax).map((path) => JSON.stringify(path))
  const more = paths.length > names.length ? ` and ${paths.length - names.length} more` : ''
  const why = reason === undefined || reason.trim() === '' ? '' : ` The reason: ${reason.trim()}`
  return `A person has reviewed your changes and discarded those to these files: ${names.join(', ')}${more}. They are as they were before you changed them.${why}`
}

/** That files are not any more as the agent left them. */
function undoneNote(paths: readonly string[] | undefined): string | undefined {
  if (paths === undefined || paths.length === 0) return undefined
  const names = paths.slice(0, namedMax).map((path) => JSON.stringify(path))
  const more = paths.length > names.length ? ` and ${paths.length - names.length} more` : ''
  return `A person has undone your changes to these files: ${names.join(', ')}${more}. Read them again before you go on.`
}
