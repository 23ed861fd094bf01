// Builds the page when its sources are newer than what was built last; `--force` builds always.
import { spawnSync } from 'node:child_process'
import { globSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { brotliCompressSync, gzipSync } from 'node:zlib'

const root = join(import.meta.dirname, '..')
const built = join(root, 'packages/web/dist/index.html')
const sources = [
  'package-lock.json',
  'packages/web/{index.html,vite.config.ts,package.json}',
  'packages/{web,client,core,protocol}/src/**/*',
  'packages/web/public/**/*',
]

function changedMs(path: string): number {
  return statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? 0
}

const newest = Math.max(...globSync(sources, { cwd: root }).map((path) => changedMs(join(root, path))))
if (process.argv.includes('--force') || changedMs(built) < newest) {
  console.log('building the page …')
  const vite = spawnSync('vite', ['build', '--logLevel', 'warn'], { cwd: join(root, 'packages/web'), stdio: 'inherit' })
  process.exitCode = vite.status ?? 1
  if (vite.status === 0) compress()
}

/** Once for all who load them: beside each script and style lies what is sent to a browser that takes it compressed. */
function compress(): void {
  const folder = join(root, 'packages/web/dist/assets')
  for (const name of globSync('*.{js,css}', { cwd: folder })) {
    const text = readFileSync(join(folder, name))
    writeFileSync(join(folder, `${name}.br`), brotliCompressSync(text))
    writeFileSync(join(folder, `${name}.gz`), gzipSync(text, { level: 9 }))
  }
}
