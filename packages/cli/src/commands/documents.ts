import { mkdir, writeFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { httpRequest } from '@hotline/client/http-request'
import type { Command } from 'commander'
import { Failure } from '../failure.ts'
import type { CommandContext } from './context.ts'

const documents = ['openapi.json', 'asyncapi.json'] as const

/** `openapi`: the documents of the API, as files that any file server can hold. They are open: it takes no credential. */
export function addDocumentCommands(program: Command, context: CommandContext): void {
  program
    .command('openapi <folder>')
    .description(
      'write the documents of the API (OpenAPI and AsyncAPI) into a folder, for a file server or a generator',
    )
    .action(async (folder: string) => {
      const { url } = context.settings()
      const paths = documents.map((name) => join(resolve(folder), name))
      // Both are here before anything is written.
      const texts = await Promise.all(documents.map((name) => readDocument(url, name)))
      await mkdir(resolve(folder), { recursive: true })
      await Promise.all(paths.map((path, at) => writeFile(path, texts[at] ?? '')))
      context.print({ written: paths }, paths.map((path) => `${path}\n`).join(''))
    })
}

async function readDocument(url: string, name: string): Promise<string> {
  const answer = await httpRequest<unknown>(url, { kind: 'cookie' }, 'GET', `/api/${name}`)
  if (!answer.ok) throw new Failure(answer.problem)
  return `${JSON.stringify(answer.value, null, 2)}\n`
}
