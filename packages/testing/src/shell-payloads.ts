/** What leaves the file `canary` behind where a shell comes to read it, written in different ways. */
const effects: readonly ((canary: string) => string)[] = [
  (canary) => `touch ${canary}`,
  (canary) => `: > ${canary}`,
  (canary) => `echo x >>${canary}`,
  (canary) => `cp /dev/null ${canary}`,
  (canary) => `touch\${IFS}${canary}`,
  (canary) => `mkdir ${canary}`,
  (canary) => `eval "touch ${canary}"`,
  (canary) => `/usr/bin/env touch ${canary}`,
]

/** How a command gets out of the place that it was meant for: bare words, either kind of quotes, the end of a line. */
const ways: readonly ((command: string) => string)[] = [
  (command) => `$(${command})`,
  (command) => `\`${command}\``,
  (command) => `; ${command}`,
  (command) => `| ${command}`,
  (command) => `|| ${command}`,
  (command) => `&& ${command}`,
  (command) => `& ${command}`,
  (command) => `a;${command};b`,
  (command) => `a\t;\t${command}`,
  (command) => `\n${command}\n`,
  (command) => `\\\n;${command}`,
  (command) => `'; ${command}; '`,
  (command) => `"; ${command}; "`,
  (command) => `'$(${command})'`,
  (command) => `"$(${command})"`,
  (command) => `"\`${command}\`"`,
  (command) => `'"; ${command}; "'`,
  (command) => `\${none:-$(${command})}`,
  (command) => `$(( $(${command}) 1 ))`,
  (command) => `) ; ${command} ; (true`,
  (command) => `*; ${command}`,
  (command) => `x && ! ${command} || y`,
  (command) => `../../$(${command})`,
  (command) => `café $(${command}) 漢字`,
  (command) => `#{x}\n${command} #`,
  // Decoded once before anybody looks: an address, a form, a header.
  (command) => encodeURIComponent(`$(${command})`),
  (command) => encodeURIComponent(`'; ${command}; '`),
  (command) => `%0a${command}`,
]

/** The same by the options of programs that would be given one too many. */
const asOptions: readonly ((canary: string) => string)[] = [
  (canary) => `--output=${canary}`,
  (canary) => `-o${canary}`,
  (canary) => `-Stouch ${canary}`,
  (canary) => `--split-string=touch ${canary}`,
  (canary) => `--upload-pack=touch ${canary}`,
  (canary) => `--exec=touch ${canary}`,
  (canary) => `--checkpoint-action=exec=touch ${canary}`,
  (canary) => `--eval=require("fs").writeFileSync("${canary}","")`,
]

/**
 * More than 200 texts, of which each one leaves the file `canary` (an absolute path without spaces) behind where it is read
 * by a shell, or taken for an option. A test of this package does it with each of them.
 */
export function shellPayloads(canary: string): readonly string[] {
  const commands = effects.map((effect) => effect(canary))
  return [
    ...ways.flatMap((way) => commands.map((command) => way(command))),
    ...asOptions.map((option) => option(canary)),
  ]
}
