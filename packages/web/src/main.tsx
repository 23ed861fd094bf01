import '@hotline/protocol/no-eval'
import '@fontsource-variable/inter'
import '@fontsource-variable/jetbrains-mono'
import './styles/tokens.css'
import './styles/base.css'
import './styles/frame.css'
import './styles/session.css'
import './styles/talk.css'
import './styles/marked.css'
import './styles/code.css'
import './styles/card.css'
import './styles/console.css'
import './styles/changes.css'
import './styles/design.css'
import { createRoot } from 'react-dom/client'
import { App } from './app.tsx'

const root = document.getElementById('root')
if (root) createRoot(root).render(<App />)
