// Runs the rules and the whole line once on the oldest Node that the packages declare: `npm ci` brings a current one, and
// what only that one can do would not be noticed.
import { spawnSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

const root = join(import.meta.dirname, '..')
const declared = (JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { engines: { node: string } }).engines
const version = `${declared.node.replace('>=', '')}.0`
const platform = `${process.platform}-${process.arch}`

if (platform === 'linux-x64' || platform === 'linux-arm64') process.exitCode = run(`node-${platform}`)
else console.log(`floor: skipped, there is no package with Node ${version} for ${platform}`)

function run(name: string): number {
  const home = join(root, '.cache', `node-${version}`)
  const bin = join(home, 'node_modules', name, 'bin')
  if (!existsSync(join(bin, 'node'))) {
    const install = [
      'install',
      '--prefix',
      home,
      '--no-save',
      '--no-package-lock',
      '--loglevel=error',
      `${name}@${version}`,
    ]
    const installed = spawnSync('npm', install, { stdio: 'inherit' })
    if (installed.status !== 0) return installed.status ?? 1
  }
  // First in the path as well, so that the processes that tests start are of the same version.
  const env = { ...process.env, PATH: `${bin}:${process.env['PATH'] ?? ''}` }
  const vitest = join(root, 'node_modules', 'vitest', 'vitest.mjs')
  const files = [
    'packages/protocol',
    'packages/core',
    'packages/client',
    'packages/server/test/log',
    'packages/cli/test/command-line',
    'e2e/test/line',
  ]
  console.log(`floor: Node ${version}`)
  return spawnSync(join(bin, 'node'), [vitest, 'run', ...files], { cwd: root, env, stdio: 'inherit' }).status ?? 1
}
