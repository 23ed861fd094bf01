/** Something that is wrong in the file of a profile, where it is, and what to do. */
export interface ProfileProblem {
  /** As it was opened. */
  file: string
  /** From 1. */
  line: number
  /** From 1, in characters. */
  column: number
  /** What is wrong and what to do, in sentences. */
  what: string
}

/** In the form that editors and terminals make a link of. */
export function problemLine({ file, line, column, what }: ProfileProblem): string {
  return `${file}:${line}:${column}: ${what}`
}
