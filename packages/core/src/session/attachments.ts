import type { Actor } from '@hotline/protocol/actor'
import type { Attachment, NamedAttachment } from '@hotline/protocol/attachment'
import { type Decision, refuse } from '../decision.ts'

/** A file that was uploaded to the session, and by whom. */
export type Upload = Attachment & { by: string }

/** The files that a message names, as they were kept; a refusal where the sender has not uploaded one of them. */
export function attached(
  named: readonly NamedAttachment[] = [],
  actor: Actor,
  uploads: readonly Upload[] = [],
): { attachments: Attachment[] } | Decision {
  const attachments: Attachment[] = []
  for (const { digest, name } of named) {
    const found = uploads.find((one) => one.digest === digest && one.name === name && one.by === uploader(actor))
    if (!found) {
      return refuse(
        'not_found',
        `You have not uploaded "${name}" to this session, or more than a day ago. Upload it.`,
        {
          digest,
        },
      )
    }
    attachments.push(bare(found))
  }
  return { attachments }
}

/** Those of a runner's report that it has uploaded, as they were kept. */
export function attachedOf(
  told: readonly Attachment[] | undefined,
  actor: Actor,
  uploads: readonly Upload[] = [],
): { attachments?: Attachment[] } {
  const found = (told ?? []).flatMap(({ digest, name }) => {
    const upload = uploads.find((one) => one.digest === digest && one.name === name && one.by === uploader(actor))
    return upload ? [bare(upload)] : []
  })
  return found.length === 0 ? {} : { attachments: found }
}

/** As the rows of uploads name who did it. */
export function uploader({ kind, id }: Pick<Actor, 'kind' | 'id'>): string {
  return `${kind}:${id}`
}

function bare({ digest, name, type, bytes }: Upload): Attachment {
  return { digest, name, type, bytes }
}
