import react from '@vitejs/plugin-react'
import { defineConfig } from 'vite'

// The page is served by the Hotline server under a strict policy: no inline script, no data: fonts, nothing from outside.
export default defineConfig({
  plugins: [react()],
  build: {
    outDir: 'dist',
    emptyOutDir: true,
    // `font-src 'self'` refuses fonts as data: URLs, so nothing is inlined.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    target: 'es2022',
    // Since then browsers know `light-dark()`: each colour is written once.
    cssTarget: ['chrome123', 'firefox120', 'safari17.5'],
    reportCompressedSize: false,
    chunkSizeWarningLimit: 1_500,
  },
})
