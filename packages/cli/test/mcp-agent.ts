// An agent of a few lines: it starts `hotline mcp` as any MCP client would, with the official client, and calls the tools
// that it is told to on its standard input, one JSON object in each line. What comes of each it prints.
import { createInterface } from 'node:readline'
import { Client } from '@modelcontextprotocol/sdk/client/index.js'
import { StdioClientTransport } from '@modelcontextprotocol/sdk/client/stdio.js'

const [, , hotline = '', ...flags] = process.argv
const env = Object.fromEntries(Object.entries(process.env).flatMap(([name, value]) => (value ? [[name, value]] : [])))
const client = new Client({ name: 'test', version: '1' })
await client.connect(new StdioClientTransport({ command: process.execPath, args: [hotline, 'mcp', ...flags], env }))
const { tools } = await client.listTools()
console.log(JSON.stringify({ tools: tools.map(({ name }) => name) }))
const calls = new Map<string, AbortController>()
for await (const line of createInterface({ input: process.stdin })) {
  const { id, tool, args, cancel, exit } = JSON.parse(line) as Record<string, string> & {
    args: Record<string, unknown>
  }
  if (exit !== undefined) break
  if (cancel !== undefined) {
    calls.get(cancel)?.abort()
    continue
  }
  const call = new AbortController()
  calls.set(id ?? '', call)
  let told = 0
  const options = { signal: call.signal, timeout: 120_000, resetTimeoutOnProgress: true, onprogress: () => (told += 1) }
  client.callTool({ name: tool ?? '', arguments: args }, undefined, options).then(
    (result) => console.log(JSON.stringify({ id, told, ...result })),
    (error: unknown) => console.log(JSON.stringify({ id, error: String(error) })),
  )
}
await client.close()
