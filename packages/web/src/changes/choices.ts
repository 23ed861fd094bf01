import type { CommandInput } from '@hotline/protocol/command'
import type { DraftFile } from '@hotline/protocol/events/draft'

/** What somebody wants to become of a file. */
export type Choice = 'keep' | 'discard'

/** By path, each with the digest of what it was chosen about: of another file it says nothing. */
export type Choices = ReadonlyMap<string, { choice: Choice; digest: string }>

/**
 * What somebody is about to decide, until it is done; `commit`: the message, where what is kept is to be committed; `into`: the
 * branch that it is merged into then.
 */
export interface ReviewForm {
  choices: Choices
  reason: string
  commit: string | undefined
  into: string | undefined
}

/** Before anything was chosen. */
export const emptyForm: ReviewForm = { choices: new Map(), reason: '', commit: undefined, into: undefined }

/** What was chosen about the file as it is shown. */
export function choiceOf(choices: Choices, { path, digest }: DraftFile): Choice | undefined {
  const chosen = choices.get(path)
  return chosen?.digest === digest ? chosen.choice : undefined
}

/** Chosen again, it is open again. */
export function choose(choices: Choices, file: DraftFile, choice: Choice): Choices {
  const next = new Map(choices)
  if (choiceOf(choices, file) === choice) next.delete(file.path)
  else next.set(file.path, { choice, digest: file.digest })
  return next
}

/** The same for all of them, but those that somebody has to choose by their name. */
export function chooseAll(files: readonly DraftFile[], choice: Choice): Choices {
  const free = files.filter((file) => !isByName(file, choice))
  return new Map(free.map(({ path, digest }) => [path, { choice, digest }]))
}

/** It takes a decision of its own: to keep what others run, or to discard what somebody else may have written. */
export function isByName({ guarded, ask }: DraftFile, choice: Choice): boolean {
  return choice === 'keep' ? guarded !== undefined : ask !== undefined
}

/** What is sent. The guarded ones of those to keep were chosen by their names, for nothing else chooses them. */
export function reviewOf(
  { draft, digest, files }: { draft: string; digest: string; files: readonly DraftFile[] },
  { choices, reason, commit: message, into }: ReviewForm,
): CommandInput<'draft.review'> {
  const kept = files.filter((file) => choiceOf(choices, file) === 'keep')
  const guarded = kept.filter((file) => file.guarded !== undefined)
  const why = reason.trim()
  return {
    draft,
    digest,
    keep: kept.map(({ path }) => path),
    discard: files.filter((file) => choiceOf(choices, file) === 'discard').map(({ path }) => path),
    ...(guarded.length === 0 ? {} : { guarded: guarded.map(({ path }) => path) }),
    ...(why === '' ? {} : { reason: why }),
    ...(message === undefined || kept.length === 0
      ? {}
      : { commit: { message, ...(into === undefined ? {} : { into }) } }),
  }
}
