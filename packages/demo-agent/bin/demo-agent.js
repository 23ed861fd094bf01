#!/usr/bin/env node
// Plain JavaScript, so that an old Node can still read it and say what is wrong.
const [major = 0, minor = 0] = process.versions.node.split('.').map(Number)
if (major < 22 || (major === 22 && minor < 18)) {
  process.stderr.write(`hotline-demo-agent needs Node 22.18 or newer, this is ${process.versions.node}.\n`)
  process.exitCode = 1
} else {
  await import('../src/main.ts')
}
