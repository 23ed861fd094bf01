import type { Risk } from '@hotline/protocol/risk'
import { readExactly } from '../exact-text.ts'
import { type Deed, type PolicyRequest, readDeed } from './deed.ts'
import { readPaths, type Whereabouts } from './named-path.ts'
import { looseWords, programOf, whyNotRemembered } from './programs.ts'
import type { Pieces } from './read-command.ts'
import { readScript } from './read-script.ts'

/** How much harm a request could do, and in words what makes it more than low. */
export interface RiskReading {
  risk: Risk
  why: readonly string[]
}

/** What destroys, publishes, reaches other machines, or changes who may do what. */
const dangerous: ReadonlySet<string> = new Set(
  [
    'rm rmdir unlink shred truncate dd fdisk parted sudo doas su chmod chown chgrp chattr setfacl',
    'kill pkill killall shutdown reboot halt poweroff systemctl service launchctl crontab at',
    'curl wget nc ncat netcat socat ssh scp sftp rsync ftp telnet mail sendmail',
    'docker podman kubectl helm terraform pulumi ansible aws gcloud az gh glab heroku vercel netlify fly',
    'mount umount useradd userdel usermod passwd visudo iptables nft sysctl insmod modprobe',
    'push publish unpublish deploy release destroy drop adduser login logout token secret secrets npx pnpx uvx',
    '--force --force-with-lease --hard --delete --no-verify --unsafe-perm --privileged base64 openssl gpg mkfs',
  ].flatMap((line) => line.split(' ')),
)

/** What only looks. */
const looks: ReadonlySet<string> = new Set('ls pwd cat head tail wc echo true false date whoami uname id'.split(' '))

/** How much harm it could do, by what runs alone: no kind, title or hint of an agent makes it less. */
export function readRisk(request: PolicyRequest, deed: Deed): RiskReading {
  if (request.input !== undefined && readExactly(request.input).grave) {
    return { risk: 'high', why: ['it has characters that deceive the eye'] }
  }
  switch (deed.does) {
    case 'run':
      return deed.argv === undefined && deed.beside
        ? { risk: 'high', why: [deed.why] }
        : riskOfCommand(request, deed.text)
    case 'edit':
    case 'read':
      return riskOfFiles(request, deed)
    case 'fetch':
      return { risk: 'medium', why: ['it reaches the network'] }
    case 'plan':
      return { risk: 'medium', why: ['it lets the agent begin what it has planned'] }
    case 'other':
      return { risk: 'high', why: [deed.why] }
  }
}

/** The same for a request that nobody has taken apart. */
export function riskOfRequest(request: PolicyRequest): RiskReading {
  return readRisk(request, readDeed(request))
}

/** Of a plain command, each word of it given by itself. */
export function riskOfWords(argv: readonly string[]): Risk {
  return argv.length === 0 ? 'low' : riskOfCommand({}, argv.join(' ')).risk
}

function riskOfCommand(where: Whereabouts, text: string): RiskReading {
  const words = looseWords(text)
  const [found] = [...words].filter((word) => dangerous.has(word) || word.startsWith('mkfs'))
  if (found !== undefined) return { risk: 'high', why: [`"${found}" can do lasting harm`] }
  const read = readScript(text)
  if (!read.ok) return { risk: 'high', why: [read.why] }
  const { pieces, writes } = read
  const wrapped = pieces.map((argv) => (argv[0] === 'cd' ? undefined : whyNotRemembered(argv)))
  const why = wrapped.find((one) => one !== undefined)
  if (why !== undefined) return { risk: 'high', why: [why] }
  if (writes.length > 0) return riskOfWrites(where, read)
  const looksOnly = pieces.every(([program = '']) => looks.has(programOf(program)))
  return looksOnly ? { risk: 'low', why: [] } : { risk: 'medium', why: ['it runs a program'] }
}

/** What a shell puts into files is a change like any other; but a program makes it, so that nobody sees what it will be. */
function riskOfWrites(where: Whereabouts, { pieces, writes }: Pick<Pieces, 'pieces' | 'writes'>): RiskReading {
  if (pieces.some(([program]) => program === 'cd')) {
    return { risk: 'high', why: ['it writes a file after it has gone to another folder'] }
  }
  const files = riskOfFiles(where, { does: 'edit', paths: writes })
  return files.risk === 'high' ? files : { risk: 'medium', why: [`it writes "${writes.join('", "')}"`] }
}

function riskOfFiles(where: Whereabouts, deed: Extract<Deed, { does: 'edit' | 'read' }>): RiskReading {
  const why: string[] = []
  let isOutside = false
  for (const { named, inside, odd, protected: kept } of readPaths(where, deed.paths)) {
    if (odd !== undefined) why.push(odd)
    if (kept !== undefined) why.push(`"${named}" ${kept}`)
    if (inside === undefined) isOutside = true
  }
  if (why.length > 0) return { risk: 'high', why }
  if (!isOutside) return { risk: 'low', why }
  return { risk: deed.does === 'edit' ? 'high' : 'medium', why: ['it is not known to be in the folder of the session'] }
}
