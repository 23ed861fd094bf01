/**
 * Ways in which a configuration makes git run a program: each key gets a program of its own that leaves its name in the
 * canary's folder. They are in the repository itself, in one in a folder of it, in the person's and the machine's settings,
 * in the environment, and in the hooks of both repositories.
 */
export const gitKeys: readonly [name: string, lines: (program: string) => string][] = [
  ['fsmonitor', (program) => `[core]\n\tfsmonitor = ${program}`],
  ['editor', (program) => `[core]\n\teditor = ${program}`],
  ['pager', (program) => `[core]\n\tpager = ${program}\n[pager]\n\tstatus = true\n\tdiff = true\n\tlog = true`],
  ['pager.log', (program) => `[pager]\n\tlog = ${program}`],
  ['ssh', (program) => `[core]\n\tsshCommand = ${program}`],
  ['gitProxy', (program) => `[core]\n\tgitProxy = ${program}`],
  ['askPass', (program) => `[core]\n\taskPass = ${program}`],
  ['alternateRefs', (program) => `[core]\n\talternateRefsCommand = ${program}`],
  ['clean', (program) => `[filter "canary"]\n\tclean = ${program}\n\trequired = true`],
  ['smudge', (program) => `[filter "canary"]\n\tsmudge = ${program}`],
  ['process', (program) => `[filter "pipe"]\n\tprocess = ${program}`],
  ['textconv', (program) => `[diff "canary"]\n\ttextconv = ${program}`],
  ['diff.command', (program) => `[diff "other"]\n\tcommand = ${program}`],
  ['diff.external', (program) => `[diff]\n\texternal = ${program}`],
  ['merge', (program) => `[merge "canary"]\n\tdriver = ${program} %A`],
  ['gpg', (program) => `[gpg]\n\tprogram = ${program}\n[commit]\n\tgpgSign = true`],
  ['gpg.ssh', (program) => `[gpg "ssh"]\n\tprogram = ${program}`],
  ['sequence', (program) => `[sequence]\n\teditor = ${program}`],
  ['credential', (program) => `[credential]\n\thelper = !${program}`],
  ['uploadpack', (program) => `[remote "origin"]\n\turl = .\n\tuploadpack = ${program}`],
  ['receivepack', (program) => `[remote "other"]\n\turl = .\n\treceivepack = ${program}`],
  ['ext', (program) => `[protocol "ext"]\n\tallow = always\n[remote "ext"]\n\turl = ext::${program}`],
  ['vcs', (program) => `[remote "vcs"]\n\turl = .\n\tvcs = ${program}`],
  ['tar', (program) => `[tar "x"]\n\tcommand = ${program}`],
  ['interactive', (program) => `[interactive]\n\tdiffFilter = ${program}`],
  ['trailer', (program) => `[trailer "x"]\n\tcommand = ${program}\n\tcmd = ${program}`],
  ['alias', (program) => `[alias]\n\tst = !${program}\n\thash-object = !${program}`],
  ['packObjects', (program) => `[uploadpack]\n\tpackObjectsHook = ${program}`],
  ['difftool', (program) => `[difftool "x"]\n\tcmd = ${program}\n[diff]\n\ttool = x`],
  ['mergetool', (program) => `[mergetool "x"]\n\tcmd = ${program}`],
  ['sendemail', (program) => `[sendemail]\n\tsmtpServer = ${program}`],
  ['submodule', (program) => `[submodule "sub"]\n\tupdate = !${program}`],
]

/** Hooks that git may run. */
export const gitHooks: readonly string[] = [
  'pre-commit post-commit prepare-commit-msg commit-msg post-checkout post-index-change reference-transaction',
  'pre-auto-gc post-rewrite fsmonitor-watchman',
].flatMap((line) => line.split(' '))
