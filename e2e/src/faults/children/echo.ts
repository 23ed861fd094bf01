// Says each line that it gets, between angle brackets: by lines, or in a terminal without line ends.
const isTerminal = process.stdin.isTTY
if (isTerminal) process.stdin.setRawMode(true)
process.stdout.write('<0>')
let rest = ''
process.stdin.setEncoding('utf8')
process.stdin.on('data', (text: string) => {
  const lines = (rest + text).split(/[\r\n]/)
  rest = lines.pop() ?? ''
  for (const line of lines) process.stdout.write(isTerminal ? `<${line}>` : `<${line}>\n`)
})
