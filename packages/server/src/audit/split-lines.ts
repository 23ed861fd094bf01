/** An event may have 256 KiB of header and body, each byte of which may take six in JSON. */
const lineMaxBytes = 4 * 1024 * 1024
const lineFeed = 10

/**
 * Lines of UTF-8 text, divided by line feeds and by nothing else: other marks of a line's end are text in JSON. Throws a
 * TypeError at what is no UTF-8, a RangeError at a line that no export of ours has.
 */
export async function* splitLines(bytes: AsyncIterable<Uint8Array>): AsyncGenerator<string, void, undefined> {
  const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })
  let begun: Uint8Array[] = []
  let begunBytes = 0
  const finish = (end: Uint8Array): string => {
    const line = Buffer.concat([...begun, end])
    begun = []
    begunBytes = 0
    return decoder.decode(line)
  }
  for await (const chunk of bytes) {
    let at = 0
    for (let end = chunk.indexOf(lineFeed); end !== -1; end = chunk.indexOf(lineFeed, at)) {
      yield finish(chunk.subarray(at, end))
      at = end + 1
    }
    begun.push(chunk.subarray(at))
    begunBytes += chunk.length - at
    if (begunBytes > lineMaxBytes) throw new RangeError('a line of it has no end')
  }
  if (begunBytes > 0) yield finish(new Uint8Array())
}
