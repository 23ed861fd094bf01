import type { ApprovalRequest } from '@hotline/protocol/events/approval'
import { type ReactNode, useMemo, useState } from 'react'
import { Markdown } from '../markdown/markdown.tsx'
import { groupDigits } from '../text/amounts.ts'
import { Diff } from '../parts/diff.tsx'
import { ExactText } from '../parts/exact-text.tsx'
import { Fields } from '../parts/fields.tsx'
import { Given } from '../parts/given.tsx'
import { PatchText } from '../parts/patch-text.tsx'
import { type AskedEdit, readAsked } from './read-asked.ts'

/**
 * What a request would do, as one reads it: a command as a command, a change of a file line by line, an address with where it
 * leads, a plan as its Markdown, everything else by its names. It is made of the input alone; what the agent shows beside it stands apart.
 */
export function AskedInput({ text, request }: { text: string; request: ApprovalRequest }): ReactNode {
  const asked = useMemo(() => readAsked(text, request), [text, request])
  if (request.plan) return <Markdown text={text} />
  switch (asked.kind) {
    case 'words':
      return (
        <>
          <ExactText text={text} />
          <ToldChanges request={request} />
        </>
      )
    case 'patch':
      return <PatchText text={text} />
    case 'parts': {
      const { command, url, edits, rest } = asked
      const isBare = command === undefined && url === undefined && edits.length === 0
      return (
        <>
          {command !== undefined && (
            <div className="command">
              <ExactText text={command} />
            </div>
          )}
          {url !== undefined && <Address url={url} />}
          {edits.map((edit, at) => (
            // oxlint-disable-next-line react/no-array-index-key -- a file may be changed in several places
            <EditOf key={at} edit={edit} cwd={request.cwd} />
          ))}
          {(isBare || Object.keys(rest).length > 0) && <Fields value={rest} />}
          {edits.length === 0 && <ToldChanges request={request} />}
        </>
      )
    }
  }
}

/** The bytes themselves, where they are shown in another form above. */
export function RawInput({ text, request }: { text: string; request: ApprovalRequest }): ReactNode {
  const [opened, setOpened] = useState(false)
  const isAsItCame = useMemo(() => !request.plan && readAsked(text, request).kind !== 'parts', [text, request])
  if (isAsItCame) return undefined
  return (
    <details className="why raw" onToggle={({ currentTarget }) => setOpened(currentTarget.open)}>
      <summary>As it came, {groupDigits(text.length)} characters</summary>
      {opened && (
        <Given what="the input as it came">
          <ExactText text={text} />
        </Given>
      )}
    </details>
  )
}

/** What an address is for a browser: names before an `@` and letters of other scripts lead elsewhere than it looks. */
function Address({ url }: { url: string }): ReactNode {
  const host = URL.canParse(url) ? new URL(url).host : ''
  return (
    <div>
      <ExactText text={url} />
      {host !== '' && (
        <p className="small quiet">
          It leads to <span className="mono">{host}</span>
        </p>
      )}
    </div>
  )
}

const compared = {
  'with the input': undefined,
  'with what the agent tells': 'compared with what the agent says is there',
  'with nothing': 'the whole file',
} as const

function EditOf({ edit, cwd }: { edit: AskedEdit; cwd: string | undefined }): ReactNode {
  const against = edit.change.oldText === null ? undefined : compared[edit.compared]
  return <Diff change={edit.change} cwd={cwd} exact={{ against, isOldTold: edit.compared !== 'with the input' }} />
}

/** What the agent shows of changes that its input does not show. */
function ToldChanges({ request }: { request: ApprovalRequest }): ReactNode {
  if (!request.changes || request.changes.length === 0) return undefined
  return (
    <>
      <p className="small quiet">What it would change, as the agent shows it:</p>
      {request.changes.map((change) => (
        <Diff key={change.path} change={change} cwd={request.cwd} exact={{ isOldTold: true }} />
      ))}
    </>
  )
}
