// Runs every check that is not a test, and names each one that failed.
import { spawnSync } from 'node:child_process'
import { globSync } from 'node:fs'

const projects = globSync([
  'packages/*/tsconfig.json',
  'packages/*/{test,src/node}/tsconfig.json',
  '{bench,e2e,examples,scripts}/tsconfig.json',
])

const checks: [name: string, command: string, ...args: string[]][] = [
  ['format', 'oxfmt', '--check', '.'],
  ['lint', 'oxlint', '--deny-warnings'],
  ...projects.toSorted().map((path): [string, string, ...string[]] => [`types ${path}`, 'tsc', '-p', path]),
  ['dead code', 'knip'],
]

const failed: string[] = []
for (const [name, command, ...args] of checks) {
  console.log(`check: ${name}`)
  if (spawnSync(command, args, { stdio: 'inherit' }).status !== 0) failed.push(name)
}
console.log(failed.length === 0 ? 'all checks passed' : `checks failed: ${failed.join(', ')}`)
process.exitCode = failed.length === 0 ? 0 : 1
