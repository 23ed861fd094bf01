#!/usr/bin/env node
// Plain JavaScript that any Node can read, so that an old one gets a sentence instead of a syntax error.
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
  void import('../src/main.ts').then(({ main }) => main(process.argv))
}
