import type { LineComment } from '@hotline/core/draft/line-comments'
import type { FileChange } from '@hotline/protocol/events/turn'
import { fail } from './failure.ts'

/** `path:line: text`, as compilers write it. */
const form = /^(?<path>.+?):(?<line>[1-9]\d{0,8}):\s*(?<text>\S[\s\S]*)$/

/** Comments as they were typed; what stands at their lines is looked for in the changes that were shown. Throws a `Failure`. */
export function readComments(texts: readonly string[], changes: readonly FileChange[]): readonly LineComment[] {
  return texts.map((typed) => {
    const { path, line, text } = form.exec(typed)?.groups ?? {}
    if (path === undefined || line === undefined || text === undefined) {
      throw fail('invalid_request', `A comment is written as "path:line: text", not as ${JSON.stringify(typed)}.`)
    }
    const shown = changes.find((change) => change.path === path)
    const quote = shown?.newText.split('\n')[Number(line) - 1] ?? ''
    return { path, side: 'new', line: Number(line), quote, text }
  })
}
