import { readCommand } from './read-command.ts'

const shells: ReadonlySet<string> = new Set('sh bash dash zsh ksh ash'.split(' '))

/** Programs and built-in words that run, or change, what comes after them: a rule about one of them says nothing. */
const runners: ReadonlySet<string> = new Set(
  [
    ...shells,
    'fish csh tcsh rbash busybox toybox pwsh powershell cmd wsl',
    'env sudo doas su runuser chroot nsenter unshare setpriv setsid nohup nice ionice chrt taskset time timeout stdbuf',
    'script xargs parallel watch entr flock firejail bwrap systemd-run at batch crontab strace ltrace gdb ssh mosh expect',
    'awk gawk mawk nawk make-kpkg osascript start-stop-daemon daemonize screen tmux',
    'eval exec source . command builtin alias unalias trap coproc set shopt export declare typeset readonly local unset',
    'cd pushd popd enable hash bind complete function if then else elif fi for while until do done case esac select in',
    'let test [ [[ noglob nocorrect autoload zmodload emulate',
  ].flatMap((line) => line.split(' ')),
)

/** Programs that take code as an argument. */
const interpreters: ReadonlySet<string> = new Set(
  'python pypy perl ruby node nodejs deno bun php lua luajit rscript tclsh julia swift groovy scala'.split(' '),
)
const codeOption =
  /^(?:-[A-Za-z]*[cCeEpPrR].*|--(?:eval|print|exec|command|call|require|import|loader)(?:=.*)?|eval|-)$/

/** Arguments with which a program runs another one, or takes settings that do. */
const takesCommand =
  /^(?:-c|-c=.*|--(?:exec|command|call|config|config-env|upload-pack|receive-pack)(?:=.*)?|-(?:exec|execdir|ok|okdir|delete))$/

/** What a program is called, without its folder, its version and its case. */
export function programOf(word: string): string {
  const name = word.slice(word.lastIndexOf('/') + 1).toLowerCase()
  const plain = name.replace(/\.(?:exe|cmd|bat|com)$/, '')
  return plain.replace(/(?<=[a-z])-?[0-9]+(?:\.[0-9]+)*$/, '')
}

/** What a shell is told to run, where it is told nothing else. */
export function scriptOf(argv: readonly string[]): string | undefined {
  const [program = '', ...given] = argv
  if (!shells.has(program.replace(/^(?:\/usr)?\/bin\//, ''))) return undefined
  const options = given.slice(0, -1).join(' ')
  return options === '-c' || options === '-lc' || options === '-l -c' ? given.at(-1) : undefined
}

/**
 * A shell that is given one plain command runs just that: what it is given counts in its place. Only once; a shell in a
 * shell is none.
 */
export function unwrapShell(argv: readonly string[]): readonly string[] {
  const script = scriptOf(argv)
  const read = script === undefined ? undefined : readCommand(script)
  return read?.ok ? read.argv : argv
}

/** Why a command is never allowed by a rule, whatever its words are; undefined where it can be. */
export function whyNotRemembered(argv: readonly string[]): string | undefined {
  const [program = '', ...given] = argv
  const name = programOf(program)
  if (runners.has(program) || runners.has(name)) return `"${program}" runs what comes after it`
  if (/(?:^|\/)\.\.?(?:\/|$)/.test(program.replace(/^\.\//, '')) || program.includes('//')) {
    return `"${program}" is not the plain path of a program`
  }
  const option = given.find((word) => takesCommand.test(word))
  if (option !== undefined) return `"${option}" lets "${program}" run something else`
  const code = interpreters.has(name) ? given.find((word) => codeOption.test(word)) : undefined
  return code === undefined ? undefined : `"${code}" gives "${program}" code to run`
}

const looking: ReadonlySet<string> = new Set('status diff log show'.split(' '))
/** Of git: what else is said of it names no file and no program. */
const plainOption =
  /^(?:-[0-9]{1,4}|-[sp]|--(?:short|branch|stat|shortstat|oneline|cached|staged|name-only|name-status|porcelain|no-color|graph|decorate)|HEAD)$/

/**
 * A command that tells what is in the folder and how it changed, and can do nothing else, whatever its words mean elsewhere:
 * each of them is known here.
 */
export function onlyLooks([program = '', ...given]: readonly string[]): boolean {
  if (program === 'pwd') return given.length === 0
  if (program === 'ls') return given.every((word) => /^-[alhtr1]+$/.test(word))
  const [verb = '', ...options] = given
  return program === 'git' && looking.has(verb) && options.every((word) => plainOption.test(word))
}

/**
 * Every word that could be a word of a text, whatever a shell makes of it: more than there are, never fewer than what is
 * written plainly. For rules that ask or deny.
 */
export function looseWords(text: string): ReadonlySet<string> {
  const words = text
    .normalize('NFKC')
    .replace(/\\\n|[\\\x27\x22\x60^]|\p{Cf}/gu, '')
    .toLowerCase()
    .split(/[\s;&|<>(){}[\]$=,:!]+/u)
  return new Set(words.flatMap((word) => [word, programOf(word)]).filter((word) => word !== ''))
}
