import { builtinModules } from 'node:module'
import { gzipSync } from 'node:zlib'
import { build, type Rolldown } from 'vite'
import { describe, expect, it } from 'vitest'

/** What a page of one's own would import of the SDK. */
const entries = {
  link: '@hotline/client/open-link',
  shared: '@hotline/client/tabs/open-shared-link',
  store: '@hotline/client/browser-store',
  session: '@hotline/client/session-view',
  list: '@hotline/client/session-list',
}

/** Bundles for a browser, in memory; what is not found, or is Node's own, is left outside and shows as an import. */
async function bundle(input: Record<string, string>): Promise<Rolldown.OutputChunk[]> {
  const from = import.meta.dirname
  const built = await build({
    root: from,
    configFile: false,
    logLevel: 'silent',
    build: {
      write: false,
      target: 'es2022',
      modulePreload: false,
      rolldownOptions: {
        input,
        external: [/^node:/, ...builtinModules],
        preserveEntrySignatures: 'strict',
      },
    },
  })
  const outputs = [built].flat() as Rolldown.RolldownOutput[]
  return outputs.flatMap(({ output }) => output).filter((part) => part.type === 'chunk')
}

describe('the SDK in a browser', () => {
  it('[W6] needs nothing of Node, brings everything along, and stays small', async () => {
    const chunks = await bundle(entries)
    const names = new Set(chunks.map(({ fileName }) => fileName))
    const outside = chunks.flatMap(({ imports, dynamicImports }) => [...imports, ...dynamicImports])
    expect(outside.filter((name) => !names.has(name))).toEqual([])
    const code = chunks.map((chunk) => chunk.code).join('\n')
    expect(code).not.toMatch(/\bprocess\.(?:env|versions|nextTick)\b|\brequire\(|\bBuffer\.|msgpack/)
    const sizeBytes = gzipSync(code).length
    console.log(`the SDK for a browser: ${code.length} bytes, ${sizeBytes} compressed`)
    // Schemas are not among them: what a server says is read by `read-frame`, and the server has checked the rest.
    expect(code).not.toContain('ZodType')
    expect(sizeBytes).toBeLessThan(32_500)
  })

  it('[W6] is under 25 kB for whoever follows sessions and sends commands', async () => {
    const { link, session } = entries
    const code = (await bundle({ link, session })).map((chunk) => chunk.code).join('\n')
    const sizeBytes = gzipSync(code).length
    console.log(`a link and a session: ${code.length} bytes, ${sizeBytes} compressed`)
    expect(sizeBytes).toBeLessThan(25_000)
  })
})
