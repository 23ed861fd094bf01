#!/usr/bin/env node
// Plain JavaScript that any Node can read, so that an old one gets a sentence instead of a syntax error.
import fs from 'node:fs'
import module from 'node:module'
import os from 'node:os'
import path from 'node:path'

const [major, minor] = process.versions.node.split('.').map(Number)
if (major < 22 || (major === 22 && minor < 18)) {
  console.error(
    `Hotline needs Node 22.18 or later; this is ${process.versions.node}. ` +
      'Install a current Node, or start it with "npm start" from a checkout, which brings its own.',
  )
  process.exitCode = 1
} else {
  // The oldest Node that we run on calls experimental what we use on purpose; programs read what we write.
  const warn = process.emitWarning.bind(process)
  process.emitWarning = (warning, ...rest) => {
    const [kind] = rest
    if ((typeof kind === 'object' ? kind?.type : kind) === 'ExperimentalWarning') return
    warn(warning, ...rest)
  }
  keepCompiled()
  void import('../src/main.ts').then(({ main }) => main(process.argv))
}

/** What was compiled is kept for the next command, which then starts in half of the time. Where it cannot be, nothing is lost. */
function keepCompiled() {
  try {
    const home = process.env.HOME || os.homedir()
    const caches = process.env.XDG_CACHE_HOME
    const folder = path.join(
      caches && path.isAbsolute(caches) ? caches : path.join(home, '.cache'),
      'hotline',
      'compiled',
    )
    // It holds code, so nobody else may write there; the system's folder for temporary files is everybody's.
    fs.mkdirSync(folder, { recursive: true, mode: 0o700 })
    if (process.platform !== 'win32' && (fs.statSync(folder).mode & 0o022) !== 0) return
    module.enableCompileCache?.(folder)
  } catch {
    // A home that cannot be written.
  }
}
