/** The arguments, or in words why there are none. */
export type CommandLineReading = { ok: true; argv: readonly string[] } | { ok: false; problem: string }

/**
 * Cuts what a person typed into the arguments of a program, with '…', "…" and \ as in a shell, and nothing else of one:
 * variables, pipes and globs are passed on as they are.
 */
export function readCommandLine(text: string): CommandLineReading {
  const argv: string[] = []
  let word: string | undefined
  let quote: '"' | "'" | undefined
  for (let at = 0; at < text.length; at += 1) {
    const char = text[at] ?? ''
    if (quote === "'") {
      if (char === "'") quote = undefined
      else word = `${word ?? ''}${char}`
    } else if (char === '\\') {
      const next = text[at + 1]
      if (next === undefined) return { ok: false, problem: 'It ends with a backslash that has nothing to escape.' }
      // Inside double quotes a backslash only escapes what would be special there.
      const kept = quote === '"' && next !== '"' && next !== '\\' ? `\\${next}` : next
      word = `${word ?? ''}${kept}`
      at += 1
    } else if (char === quote) quote = undefined
    else if (quote === undefined && (char === '"' || char === "'")) {
      quote = char
      word ??= ''
    } else if (quote === undefined && /\s/.test(char)) {
      if (word !== undefined) argv.push(word)
      word = undefined
    } else word = `${word ?? ''}${char}`
  }
  if (quote !== undefined) return { ok: false, problem: `A ${quote} is not closed.` }
  if (word !== undefined) argv.push(word)
  const [program] = argv
  if (program === undefined || program === '')
    return { ok: false, problem: 'Write the program first, then its arguments.' }
  if (program.startsWith('-')) return { ok: false, problem: 'The program comes first; this begins with an option.' }
  return { ok: true, argv }
}
