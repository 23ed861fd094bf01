import { execFile } from 'node:child_process'
import { cpSync, mkdirSync, readdirSync, readFileSync, realpathSync, symlinkSync, writeFileSync } from 'node:fs'
import { join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { expect, it } from 'vitest'
import { openTempDir } from '../src/temp-dir.ts'
import { approvalGuards, type Guard } from './approval-guards.ts'

const checkout = fileURLToPath(new URL('../../../', import.meta.url))
const run = promisify(execFile)

interface Results {
  testResults: { name: string; assertionResults: { fullName: string; status: string }[] }[]
}

const packageOf = (path: string): string => path.split('/').slice(0, 2).join('/')

/** Sources with tests of their own, which find each other and, of all else, what this checkout has. */
function copyTo(root: string, packages: ReadonlySet<string>): void {
  const modules = join(root, 'node_modules')
  mkdirSync(join(modules, '@hotline'), { recursive: true })
  for (const name of readdirSync(join(checkout, 'node_modules'))) {
    if (name !== '@hotline') symlinkSync(join(checkout, 'node_modules', name), join(modules, name))
  }
  cpSync(join(checkout, 'tsconfig.base.json'), join(root, 'tsconfig.base.json'))
  for (const name of packages) {
    for (const part of ['src', 'test', 'package.json', 'tsconfig.json']) {
      cpSync(join(checkout, name, part), join(root, name, part), { recursive: true })
    }
  }
  for (const name of readdirSync(join(checkout, 'packages'))) {
    const isCopied = packages.has(`packages/${name}`)
    symlinkSync(join(isCopied ? root : checkout, 'packages', name), join(modules, '@hotline', name))
  }
}

function takeOut({ file, line, without }: Guard, root: string): void {
  const path = join(root, file)
  const parts = readFileSync(path, 'utf8').split(line)
  expect(parts, `${line} stands once in ${file}`).toHaveLength(2)
  writeFileSync(path, parts.join(without))
}

it('[AM2] each line that keeps an agent from what nobody allowed is missed by a test when it is taken out', async () => {
  const temp = await openTempDir('hotline-guards-')
  const dir = realpathSync(temp.path)
  try {
    const packagesOf = (guard: Guard): string[] => [packageOf(guard.file), ...(guard.with ?? [])]
    copyTo(join(dir, 'whole'), new Set(approvalGuards.flatMap(packagesOf)))
    for (const [index, guard] of approvalGuards.entries()) {
      copyTo(join(dir, `without-${index}`), new Set(packagesOf(guard)))
      takeOut(guard, join(dir, `without-${index}`))
    }
    const files = approvalGuards.flatMap(({ test }, index) => [`whole/${test}`, `without-${index}/${test}`])
    const config = { test: { include: [...new Set(files)], testTimeout: 60_000, hookTimeout: 60_000 } }
    writeFileSync(join(dir, 'vitest.config.mjs'), `export default ${JSON.stringify(config)}\n`)
    const titles = approvalGuards.map(({ title }) => title.replaceAll(/[[\]().*+?^$|\\]/g, String.raw`\$&`))
    const vitest = join(checkout, 'node_modules/vitest/vitest.mjs')
    const report = join(dir, 'report.json')
    const args = ['run', '--root', dir, '--reporter=json', `--outputFile=${report}`, '-t', titles.join('|')]
    // It fails, as it should: what failed stands in the report.
    const { HOTLINE_TEST_SEED: _, ...env } = process.env
    const said = await run(process.execPath, [vitest, ...args], { cwd: dir, env: { ...env, CI: 'true' } }).catch(String)
    const { testResults } = JSON.parse(readFileSync(report, 'utf8')) as Results
    const statusOf = (place: string, { test, title }: Guard): string | undefined => {
      const file = testResults.find(({ name }) => relative(dir, name) === `${place}/${test}`)
      return file?.assertionResults.find(({ fullName }) => fullName.includes(title))?.status
    }
    const seen = approvalGuards.map((guard, index) => [
      guard.name,
      statusOf('whole', guard),
      statusOf(`without-${index}`, guard),
    ])
    expect(seen, JSON.stringify(said)).toEqual(approvalGuards.map(({ name }) => [name, 'passed', 'failed']))
  } finally {
    await temp.remove()
  }
}, 300_000)
