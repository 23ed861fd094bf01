/** What a source may take from `node:child_process`: programs with their arguments in a list. */
const harmless = new Set(['spawn', 'spawnSync', 'execFile', 'execFileSync', 'fork', 'ChildProcess', 'SpawnOptions'])

const importOfProcesses = /import\s+(?:type\s+)?\{([^}]*)\}\s*from\s*(['"])node:child_process\2/g

/** A program whose arguments are read as commands again: its name or path, and nothing else in the string. */
const shellProgram = /^(?:[^\s'"`]*[/\\])?(?:(?:ba|da|z|k|c|tc|fi)?sh|busybox|cmd(?:\.exe)?|pwsh|powershell(?:\.exe)?)$/

/** Comments, strings and templates: what looks like one inside of another is none. */
const wholeParts = /'(?:\\.|[^'\\\n])*'|"(?:\\.|[^"\\\n])*"|`(?:\\.|[^`\\])*`|\/\*[\s\S]*?\*\/|\/\/[^\n]*/g

/** A key or a variable `shell`, however it is written: short, quoted, computed, or set later. */
const shellOption = /(['"`])shell\1\s*[\]:]|(?<![\w$'"`-])shell(?![\w$'"`-])(?!\s*[:=]\s*false\b)/g

/**
 * The ways in which a TypeScript source could hand text to a shell, in words; empty where there is none. It reads the text
 * alone, and rather finds too much: a source that needs a word for something else takes another word.
 */
export function findShells(source: string): readonly string[] {
  const text = withoutProse(source)
  const found: string[] = []
  for (const [, names = ''] of text.matchAll(importOfProcesses)) {
    for (const name of names.split(',').map((part) => part.trim().replace(/^type\s+/, ''))) {
      const taken = name.split(/\s+as\s+/)[0] ?? ''
      if (taken !== '' && !harmless.has(taken)) found.push(`takes "${taken}" from child_process`)
    }
  }
  // Everything at once, under another name, late, or without `node:`: then nobody sees what is taken.
  if (text.replaceAll(importOfProcesses, '').includes('child_process')) found.push('reaches child_process another way')
  for (const [word] of text.matchAll(shellOption)) found.push(`speaks of ${word}`)
  for (const [part] of source.matchAll(wholeParts)) {
    if (shellProgram.test(part.slice(1, -1))) found.push(`names the program ${part}`)
  }
  return found
}

/** Comments are left out, and sentences in quotes. */
function withoutProse(source: string): string {
  return source.replaceAll(wholeParts, (part) =>
    part.startsWith('/') ? ' ' : part.startsWith('`') || !part.includes(' ') ? part : "''",
  )
}
