import type { Login } from './login.ts'

/**
 * Where the agents that we know leave a trace of a sign-in. `docs/agent-profiles.md` lists the same places. A sign-in that
 * is not found stops nobody from starting the agent: it is a hint.
 */
export const logins = {
  claude: {
    variables: [
      'ANTHROPIC_API_KEY',
      'ANTHROPIC_AUTH_TOKEN',
      'CLAUDE_CODE_OAUTH_TOKEN',
      'CLAUDE_CODE_USE_BEDROCK',
      'CLAUDE_CODE_USE_VERTEX',
    ],
    files: [{ variable: 'CLAUDE_CONFIG_DIR', folder: '.claude', file: '.credentials.json' }],
    hint: 'Nobody has signed in with it here. Run claude in a terminal on this machine and type /login.',
  },
  codex: {
    // It sends no key that is only in the environment: seen with 0.169.0, and with codex-acp 2.6.0.
    variables: [],
    files: [{ variable: 'CODEX_HOME', folder: '.codex', file: 'auth.json' }],
    elsewhere: [
      {
        variable: 'CODEX_HOME',
        folder: '.codex',
        file: 'config.toml',
        line: /^[ \t]*(model_provider|cli_auth_credentials_store)[ \t]*=/m,
      },
    ],
    hint: 'Nobody has signed in with it here. In a terminal on this machine run codex login, or, for a key: printenv OPENAI_API_KEY | codex login --with-api-key. It does not look at a key that is only in the environment.',
  },
  opencode: {
    variables: ['ANTHROPIC_API_KEY', 'OPENAI_API_KEY', 'OPENCODE_CONFIG'],
    files: [{ variable: 'XDG_DATA_HOME', folder: '.local/share', file: 'opencode/auth.json' }],
    hint: 'Nobody has signed in with it here. Run opencode auth login in a terminal on this machine.',
  },
  gemini: {
    variables: ['GEMINI_API_KEY', 'GOOGLE_API_KEY', 'GOOGLE_CLOUD_PROJECT'],
    files: [
      { folder: '.gemini', file: 'oauth_creds.json' },
      { folder: '.gemini', file: '.env' },
    ],
    hint: 'Nobody has signed in with it here. Run gemini in a terminal on this machine and choose how to sign in.',
  },
  qwen: {
    variables: ['OPENAI_API_KEY'],
    files: [{ folder: '.qwen', file: 'oauth_creds.json' }],
    hint: 'Nobody has signed in with it here. Run qwen in a terminal on this machine and type /auth.',
  },
  copilot: {
    variables: ['COPILOT_GITHUB_TOKEN', 'GH_TOKEN', 'GITHUB_TOKEN', 'COPILOT_PROVIDER_API_KEY'],
    files: [{ variable: 'XDG_CONFIG_HOME', folder: '.config', file: 'gh/hosts.yml' }],
    keyring: true,
    hint: 'Run copilot in a terminal on this machine and type /login.',
  },
} as const satisfies Record<string, Login>
