/** Files that say what others run, or who may do what; each with why, in words that end a sentence. */
const guarded: readonly (readonly [RegExp, string])[] = [
  [/(^|\/)\.git(modules|attributes)$/i, 'tells git what to fetch, or what to run'],
  [/(^|\/)\.(githooks|husky|pre-commit-hooks)\//i, 'is run by git at a commit or a push'],
  [/(^|\/)(\.pre-commit-config\.ya?ml|lefthook\.ya?ml|\.lintstagedrc[^/]*)$/i, 'is run by git at a commit or a push'],
  [/(^|\/)\.(github|gitea|forgejo)\/(workflows|actions)\//i, 'is run where the project is built'],
  [
    /(^|\/)(\.gitlab-ci\.ya?ml|\.travis\.ya?ml|azure-pipelines\.ya?ml|bitbucket-pipelines\.ya?ml|jenkinsfile|\.drone\.ya?ml)$/i,
    'is run where the project is built',
  ],
  [/(^|\/)\.(circleci|buildkite|woodpecker)\//i, 'is run where the project is built'],
  [
    /(^|\/)\.(claude|codex|gemini|qwen|opencode|cursor|aider|continue|windsurf|hotline)(\/|$)/i,
    'sets what agents may do',
  ],
  [/(^|\/)(\.mcp\.json|opencode\.jsonc?|\.aider\.conf\.ya?ml|\.cursorrules)$/i, 'sets what agents may do'],
  [/(^|\/)(claude|agents|gemini|qwen)(\.local)?\.md$/i, 'tells agents what to do'],
  [/(^|\/)\.github\/copilot-instructions\.md$/i, 'tells agents what to do'],
  [/(^|\/)\.(envrc|bashrc|bash_profile|zshrc|zprofile|profile)$/i, 'is run by shells'],
  [/(^|\/)\.(vscode|idea|devcontainer)\//i, 'is run by editors'],
  [/(^|\/)(package\.json|\.npmrc|\.yarnrc[^/]*|\.pnpmfile\.c?js)$/i, 'names programs that an installation runs'],
  [/(^|\/)\.worktreeinclude$/i, 'says what comes along into worktrees'],
]

/** Why keeping a file is a decision of its own; undefined where it is one like any other. */
export function whyGuarded(path: string, file: { turnsProgram: boolean; isLink: boolean }): string | undefined {
  const found = guarded.find(([pattern]) => pattern.test(path))
  if (found) return found[1]
  if (file.turnsProgram) return 'can be run as a program now, or cannot any more'
  return file.isLink ? 'leads to another file' : undefined
}
